//! The seed's ping-pong: allocate one block, free it at once, at ten sizes.
//! The common path and nothing else, and a page that is all free at every turn.

use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "ping-pong",
    about: "allocate a block and free it at once, at ten sizes from 8 to 4096 bytes",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Bytes of the blocks.
const SIZES: [usize; 10] = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/// Pairs of allocation and free at each size.
const PAIRS: u64 = 500_000;

fn work(_: &Corpus, size: Size) -> u64 {
    let mut checksum = 0;
    for bytes in SIZES {
        for turn in 0..size.repeat(PAIRS) {
            let mut block: Vec<u64> = Vec::with_capacity(black_box(bytes) / size_of::<u64>());
            block.push(turn);
            let block = black_box(block);
            assert_eq!(*block, [turn], "a block of {bytes} bytes changed");
            checksum = mix(checksum, block[0]);
        }
    }
    checksum
}
