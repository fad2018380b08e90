//! A short load of every kind of block, with everything verified, that takes "no memory" for an
//! answer.

use crate::block::Block;
use crate::random::Random;
use crate::subject::Subject;

/// Sizes of small blocks, blocks of large pages, whole slices, and mappings.
const SIZES: [usize; 12] = [
    8,
    48,
    100,
    700,
    3000,
    5000,
    20_000,
    70_000,
    200_000,
    500_000,
    1 << 20,
    17 << 20,
];

/// What a load saw.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Allocations and reallocations that were served.
    pub served: usize,
    /// Those that were not.
    pub refused: usize,
}

impl Seen {
    fn count(&mut self, served: bool) {
        if served {
            self.served += 1;
        } else {
            self.refused += 1;
        }
    }
}

/// `operations` operations of `A`; every block is verified when it is freed, all are in the end.
///
/// # Panics
/// When a block is not as it was left.
pub fn run<A: Subject>(random: &mut Random, operations: usize) -> Seen {
    let mut seen = Seen::default();
    let mut blocks: Vec<Block<A>> = Vec::new();
    for _ in 0..operations {
        let size = some_size(random);
        match random.below(8) {
            0..4 => {
                let align = 1 << random.below(14);
                let block = Block::new(size, align, random.below(4) == 0, random.next());
                seen.count(block.is_some());
                blocks.extend(block);
            }
            4 if !blocks.is_empty() => {
                let index = random.below(blocks.len());
                seen.count(blocks[index].reallocate(size));
            }
            5 if random.below(8) == 0 => A::purge(),
            _ if !blocks.is_empty() => {
                let index = random.below(blocks.len());
                blocks.swap_remove(index).free();
            }
            _ => {}
        }
    }
    blocks.into_iter().for_each(Block::free);
    A::check();
    seen
}

/// Small ones are the most frequent, mappings rare.
fn some_size(random: &mut Random) -> usize {
    let size = SIZES[random.below(SIZES.len()).min(random.below(SIZES.len()))];
    size - random.below(size / 4)
}
