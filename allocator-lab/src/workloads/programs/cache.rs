//! A cache that evicts what was least recently used: entries of all ages side
//! by side, each a key, a value of some length and a node of the list.

use crate::corpus::Corpus;
use crate::workloads::{Size, mix};
use lru::LruCache;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::num::NonZeroUsize;

/// Entries that the cache holds.
const ENTRIES: u64 = 20_000;

/// Times that an entry is asked for.
const QUERIES: u64 = 300_000;

pub(super) fn work(_: &Corpus, size: Size) -> u64 {
    let entries = size.repeat(ENTRIES);
    let capacity = NonZeroUsize::new(entries as usize).expect("not zero");
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut cache: LruCache<String, String, _> = LruCache::with_hasher(capacity, hasher);
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut hits, mut checksum) = (0, 0);
    for _ in 0..size.repeat(QUERIES) {
        // Squared: small numbers are asked for more often.
        let number = rng.f64() * rng.f64() * (entries * 8) as f64;
        let number = number as u64;
        let key = format!("entry:{number}");
        if let Some(value) = cache.get(&key) {
            assert!(
                value.len() == length(number) && value.ends_with(&key),
                "an entry changed"
            );
            hits += 1;
        } else {
            let value = format!("{key:>width$}", width = length(number));
            checksum = mix(checksum, value.len() as u64);
            cache.push(key, value);
        }
    }
    mix(checksum, hits)
}

/// Bytes of an entry's value: most are short.
fn length(number: u64) -> usize {
    let bits = mix(1, number);
    20 + (bits >> 40) as usize % (20 << (bits % 6)).min(980)
}
