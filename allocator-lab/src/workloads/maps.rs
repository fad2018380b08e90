//! Maps of strings, as a program keeps an index: all words of the sources in a
//! `BTreeMap` and in a `HashMap`, with where they stand; half of them removed, and looked up.

use super::{Kind, Size, Workload, mix};
use crate::corpus::{self, Corpus};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};

pub(super) const WORKLOAD: Workload = Workload {
    name: "maps",
    about: "a BTreeMap and a HashMap from these files' words to their neighbours, as Strings",
    reads_corpus: true,
    kind: Kind::Program,
    work,
};

/// As `HashMap` has it, but with the same order in every process.
type Hasher = BuildHasherDefault<DefaultHasher>;

/// Every so many words make a key of their own with their neighbour.
const STRIDE: usize = 2;

fn work(corpus: &Corpus, _: Size) -> u64 {
    let words: Vec<&str> = corpus.files().flat_map(|(_, text)| words(text)).collect();
    let mut places: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut next: HashMap<String, String, Hasher> = HashMap::default();
    for (place, pair) in words.windows(2).enumerate() {
        places
            .entry(pair[0].to_owned())
            .or_default()
            .push(place as u32);
        if place % STRIDE == 0 {
            next.insert(format!("{}.{}", pair[0], pair[1]), pair[1].to_owned());
        }
    }
    let mut is_kept = false;
    places.retain(|word, places| {
        let in_order = places.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(
            in_order && words[places[0] as usize] == word,
            "an entry of the BTreeMap changed"
        );
        is_kept = !is_kept;
        is_kept
    });
    let mut checksum = mix(places.len() as u64, next.len() as u64);
    for (place, pair) in words.windows(2).enumerate().step_by(STRIDE) {
        let key = format!("{}.{}", pair[0], pair[1]);
        if place % 4 == 0 {
            next.remove(&key);
        } else if let Some(value) = next.get(&key) {
            assert_eq!(value, pair[1], "an entry of the HashMap changed");
            checksum = mix(checksum, value.len() as u64);
        }
    }
    places.iter().fold(checksum, |checksum, (word, places)| {
        mix(
            mix(checksum, corpus::digest(word.as_bytes())),
            places.len() as u64,
        )
    })
}

/// The identifiers and numbers of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
}
