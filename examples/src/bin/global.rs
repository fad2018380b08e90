//! A declared allocator that serves the whole program, all its threads included.

use allocator_core::derive_allocator;
use std::collections::BTreeMap;
use std::thread;

/// Allocator of a service: quick, and it keeps what it has for a second.
#[derive_allocator(preset = throughput, purge = after(1s))]
struct ServiceAlloc;

#[global_allocator]
static GLOBAL: ServiceAlloc = ServiceAlloc;

/// How often each word occurs.
fn count_words(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    counts
}

fn main() {
    let verses = [
        "Row row row your boat",
        "Gently down the stream",
        "Merrily merrily merrily merrily",
        "Life is but a dream",
    ];
    // Blocks that one thread allocates and another frees go home to the first.
    let counters = verses.map(|verse| thread::spawn(move || count_words(verse)));
    let mut all = BTreeMap::new();
    for counter in counters {
        for (word, count) in counter.join().expect("counting does not panic") {
            *all.entry(word).or_insert(0) += count;
        }
    }
    for (word, count) in all.iter().filter(|(_, count)| **count > 1) {
        println!("{word}: {count}");
    }
}
