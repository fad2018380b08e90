//! Asymmetric sizes over time: each phase fills the heap with blocks of a
//! larger size, and frees nine of ten of the phase before at random. What is
//! left of old sizes lies where the new ones would fit.

use super::block::Block;
use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "fragments",
    about: "phases of growing block sizes, a tenth of each staying on, scattered",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Smallest size.
const BYTES_MIN: usize = 24;

/// Largest size; a phase's size is a quarter over the one before.
const BYTES_MAX: usize = 24_000;

/// Bytes allocated in a phase.
const PHASE_BYTES: u64 = 5 << 20;

/// Times that the sizes grow from the smallest to the largest.
const CYCLES: u64 = 2;

fn work(_: &Corpus, size: Size) -> u64 {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut stay: Vec<Block> = Vec::new();
    let mut leave: Vec<Block> = Vec::new();
    let mut checksum = 0;
    for _ in 0..CYCLES {
        let mut bytes = BYTES_MIN;
        while bytes < BYTES_MAX {
            let count = size.repeat(PHASE_BYTES) / bytes as u64;
            leave.extend((0..count).map(|tag| Block::new(black_box(bytes), tag as u32)));
            rng.shuffle(&mut leave);
            let leaving = leave.len() - leave.len() / 10;
            for block in leave.drain(..leaving) {
                checksum = mix(checksum, block.check());
            }
            stay.append(&mut leave);
            bytes += bytes / 4;
        }
        // Of what stayed, half goes; so the second cycle meets the rest of the first.
        rng.shuffle(&mut stay);
        stay.truncate(stay.len() / 2);
    }
    stay.iter()
        .fold(checksum, |checksum, block| mix(checksum, block.check()))
}
