//! The seed's fifth: blocks of six sizes allocated in turn and freed in turn,
//! but sizes other than those just allocated.

use super::block::Block;
use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::collections::VecDeque;
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "six-classes",
    about: "allocate blocks of six sizes in turn, free them in turn, some hundreds alive",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Bytes of the blocks of each class.
const BYTES: [usize; 6] = [16, 32, 64, 128, 256, 512];

/// Blocks allocated of each class.
const BLOCKS: u64 = 1_500_000;

/// Blocks of a class alive at once: of each class another number, so that the
/// classes do not empty in step.
const ALIVE: [usize; 6] = [384, 192, 320, 96, 160, 32];

fn work(_: &Corpus, size: Size) -> u64 {
    let mut classes: [VecDeque<Block>; 6] =
        std::array::from_fn(|class| VecDeque::with_capacity(ALIVE[class] + 1));
    let mut checksum = 0;
    for turn in 0..size.repeat(BLOCKS) {
        for (class, blocks) in classes.iter_mut().enumerate() {
            blocks.push_back(Block::new(black_box(BYTES[class]), turn as u32));
            if blocks.len() > ALIVE[class] {
                let oldest = blocks.pop_front().expect("one was just added");
                checksum = mix(checksum, oldest.check());
            }
        }
    }
    let rest = classes.iter().flatten();
    rest.fold(checksum, |checksum, block| mix(checksum, block.check()))
}
