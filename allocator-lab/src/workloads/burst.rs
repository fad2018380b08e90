//! The seed's burst: allocate 4096 blocks, free all of them in that order, and
//! again, 512 times; with blocks of 64 bytes, then with a mix of sizes. Shows
//! what an allocator does with pages that are all free for a moment.

use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::hint::black_box;
use std::mem::MaybeUninit;

pub(super) const WORKLOAD: Workload = Workload {
    name: "burst",
    about: "allocate 4096 blocks, free 4096, 512 times: of 64 bytes, then of 8 to 2048",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Blocks that are live at the same time.
const BLOCKS: u64 = 4096;

/// Times that all blocks are allocated and freed.
const ROUNDS: u64 = 512;

/// A block of 64 bytes, of which one word is written: the work is the allocator's.
struct Block {
    tag: u64,
    _rest: MaybeUninit<[u64; 7]>,
}

/// Bytes of the blocks of the mix, in turn: small ones are the most, as in real programs.
const MIX_BYTES: [usize; 12] = [16, 48, 8, 64, 24, 256, 32, 112, 48, 1000, 80, 2048];

fn work(_: &Corpus, size: Size) -> u64 {
    let rounds = size.repeat(ROUNDS);
    mix(equal_blocks(rounds), mixed_blocks(rounds))
}

fn equal_blocks(rounds: u64) -> u64 {
    let mut live: Vec<Box<Block>> = Vec::with_capacity(BLOCKS as usize);
    let mut checksum = 0;
    for round in 0..rounds {
        live.extend((0..BLOCKS).map(|index| {
            black_box(Box::new(Block {
                tag: round ^ index,
                _rest: MaybeUninit::uninit(),
            }))
        }));
        for (index, block) in (0..).zip(live.drain(..)) {
            assert_eq!(block.tag, round ^ index, "a block of 64 bytes changed");
            checksum = mix(checksum, block.tag);
        }
    }
    checksum
}

fn mixed_blocks(rounds: u64) -> u64 {
    let mut live: Vec<Vec<u64>> = Vec::with_capacity(BLOCKS as usize);
    let mut checksum = 0;
    for round in 0..rounds {
        let sizes = MIX_BYTES.iter().cycle().zip(0..BLOCKS);
        live.extend(sizes.map(|(&bytes, index)| {
            let mut block = Vec::with_capacity(bytes / size_of::<u64>());
            block.push(round ^ index);
            black_box(block)
        }));
        for (index, block) in (0..).zip(live.drain(..)) {
            assert_eq!(*block, [round ^ index], "a block of the mix changed");
            checksum = mix(checksum, block[0]);
        }
    }
    checksum
}
