//! The seed's first: a block of every size from 1 to 1024 bytes, all alive at
//! once, each with sentinels at its ends.

use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "byte-sizes",
    about: "blocks of every size from 1 to 1024 bytes at once, with sentinels, 4000 times",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Largest block.
const BYTES_MAX: usize = 1024;

/// Times that all sizes are allocated and freed.
const ROUNDS: u64 = 4000;

fn work(_: &Corpus, size: Size) -> u64 {
    let mut live: Vec<Vec<u8>> = Vec::with_capacity(BYTES_MAX);
    let mut checksum = 0;
    for round in 0..size.repeat(ROUNDS) {
        for bytes in 1..=BYTES_MAX {
            let mut block: Vec<u8> = Vec::with_capacity(black_box(bytes));
            let sentinel = sentinel(round, bytes);
            block.push(sentinel);
            let spare = block.spare_capacity_mut();
            if let Some(last) = spare.get_mut(bytes.wrapping_sub(2)) {
                last.write(!sentinel);
            }
            live.push(black_box(block));
        }
        for (bytes, mut block) in (1..).zip(live.drain(..)) {
            let sentinel = sentinel(round, bytes);
            assert_eq!(*block, [sentinel], "the start of {bytes} bytes changed");
            if let Some(last) = block.spare_capacity_mut().get(bytes.wrapping_sub(2)) {
                // SAFETY: written when the block was allocated.
                let last = unsafe { last.assume_init() };
                assert_eq!(last, !sentinel, "the end of {bytes} bytes changed");
            }
            checksum = mix(checksum, u64::from(block[0]));
        }
    }
    checksum
}

fn sentinel(round: u64, bytes: usize) -> u8 {
    (round as u8).wrapping_mul(31) ^ bytes as u8
}
