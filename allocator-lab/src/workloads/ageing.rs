//! What makes a heap old: a million blocks, most of them freed again in random order.

use super::Size;
use super::block::{Block, mixed_bytes};
use std::thread;
use std::time::Duration;

/// Blocks allocated.
const BLOCKS: u64 = 1_000_000;

/// One in so many stays.
const STAYING: usize = 20;

/// Replacements after that, one in a hundred of them large, so that what an
/// allocator puts off until its next calls is over when the measuring begins.
const SETTLING: u64 = 5_000;

/// Times that the heap settles, with a pause after each, so that what it puts
/// off for some milliseconds is over, too.
const PAUSES: u32 = 4;

/// Length of a pause.
const PAUSE: Duration = Duration::from_millis(6);

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
        for _ in 0..PAUSES {
            for tag in 0..size.repeat(SETTLING) {
                let index = rng.usize(..staying);
                blocks[index].check();
                blocks[index] = Block::new(mixed_bytes(&mut rng), tag as u32);
                if tag % 100 == 0 {
                    let large: Block = Block::new(rng.usize(1 << 10..1 << 20), tag as u32);
                    large.check();
                }
            }
            thread::sleep(PAUSE);
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
