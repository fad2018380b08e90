//! The seed's second: a block is filled and freed; the next one of that size,
//! likely the same memory, is asked for zeroed and must be.

use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "zeroed",
    about: "free a block full of ones, allocate one of that size zeroed: 32 bytes to 1 MiB",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Bytes of the blocks, and how often each is asked for: some hundred megabytes in all.
const SIZES: [(usize, u64); 6] = [
    (32, 1_500_000),
    (256, 500_000),
    (2048, 100_000),
    (16 << 10, 10_000),
    (128 << 10, 1_000),
    (1 << 20, 200),
];

fn work(_: &Corpus, size: Size) -> u64 {
    let mut checksum = 0;
    for (bytes, times) in SIZES {
        let words = black_box(bytes) / size_of::<u64>();
        for turn in 0..size.repeat(times) {
            let mut dirty: Vec<u64> = Vec::with_capacity(words);
            dirty.resize(words, u64::MAX);
            drop(black_box(dirty));
            let clean = black_box(vec![0_u64; words]);
            let bits = clean.iter().fold(0, |bits, word| bits | word);
            assert_eq!(bits, 0, "a zeroed block of {bytes} bytes is not zero");
            checksum = mix(checksum, turn ^ clean.len() as u64);
        }
    }
    checksum
}
