//! Thread churn: ten thousand threads that each allocate a little and end.

use super::block::{Block, mixed_bytes};
use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::thread;

pub(super) const WORKLOAD: Workload = Workload {
    name: "threads",
    about: "10 thousand short threads, 4 at a time, each allocating 20 blocks",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Threads in all.
const THREADS: u64 = 10_000;

/// Threads at the same time.
const AT_ONCE: u64 = 4;

/// Blocks that a thread allocates; it returns the last one.
const BLOCKS: u32 = 20;

fn work(_: &Corpus, size: Size) -> u64 {
    let mut checksum = 0;
    for first in (0..size.repeat(THREADS)).step_by(AT_ONCE as usize) {
        let threads: Vec<_> = (first..first + AT_ONCE)
            .map(|seed| thread::spawn(move || live(seed)))
            .collect();
        for thread in threads {
            let (block, part) = thread.join().expect("no block changed");
            checksum = mix(checksum, mix(part, block.check()));
        }
    }
    checksum
}

fn live(seed: u64) -> (Block, u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut blocks: Vec<Block> = (0..BLOCKS)
        .map(|tag| Block::new(mixed_bytes(&mut rng), tag))
        .collect();
    let last = blocks.pop().expect("there are some");
    let checksum = blocks.iter().fold(0, |sum, block| mix(sum, block.check()));
    (last, checksum)
}
