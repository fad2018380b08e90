//! What makes a heap old: a million blocks, most of them freed again in random order.

use super::Size;
use super::block::{Block, mixed_bytes};

/// Blocks allocated.
const BLOCKS: u64 = 1_000_000;

/// One in so many stays.
const STAYING: usize = 20;

/// Replacements after that, so that what an allocator puts off until its next
/// calls is over when the measuring begins.
const SETTLING: u64 = 20_000;

/// What is left after ageing, scattered over the heap.
pub struct Ageing(Vec<Block>);

impl Ageing {
    /// Ages the heap of this thread.
    #[must_use]
    pub fn of(size: Size) -> Self {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut blocks: Vec<Block> = (0..size.repeat(BLOCKS))
            .map(|tag| Block::new(mixed_bytes(&mut rng), tag as u32))
            .collect();
        let staying = blocks.len() / STAYING;
        while blocks.len() > staying {
            blocks.swap_remove(rng.usize(..blocks.len())).check();
        }
        for tag in 0..size.repeat(SETTLING) {
            let index = rng.usize(..staying);
            blocks[index].check();
            blocks[index] = Block::new(mixed_bytes(&mut rng), tag as u32);
        }
        Self(blocks)
    }

    /// Checks what is left, once more, and frees it.
    ///
    /// # Panics
    /// When a block does not hold what was written to it.
    pub fn check(self) {
        for block in self.0 {
            block.check();
        }
    }
}
