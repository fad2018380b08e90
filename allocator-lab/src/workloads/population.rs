//! Live blocks of mixed sizes, one of which at a time is freed at random and
//! replaced by one of another size.

use super::block::{Block, Global, Source, mixed_bytes};
use super::mix;

/// Live blocks from one allocator, and what is next.
pub struct Population<S: Source = Global> {
    blocks: Vec<Block<S>>,
    rng: fastrand::Rng,
    /// Tag of the next block.
    tag: u32,
}

impl<S: Source> Population<S> {
    /// So many live blocks, at least one.
    pub(super) fn new(live: u64, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let blocks = (0..live)
            .map(|tag| Block::new(mixed_bytes(&mut rng), tag as u32))
            .collect();
        Self {
            blocks,
            rng,
            tag: 0,
        }
    }

    /// Replaces blocks, so many, one after the other; a checksum of those that went.
    ///
    /// # Panics
    /// When a block does not hold what was written to it.
    pub(super) fn replace(&mut self, times: u64) -> u64 {
        (0..times).fold(0, |checksum, _| mix(checksum, self.replace_one().check()))
    }

    /// Puts a new block in the place of one, which the caller gets.
    #[inline]
    pub(super) fn replace_one(&mut self) -> Block<S> {
        let place = self.rng.u32(..self.blocks.len() as u32) as usize;
        let block = Block::new(mixed_bytes(&mut self.rng), self.tag);
        self.tag = self.tag.wrapping_add(1);
        std::mem::replace(&mut self.blocks[place], block)
    }

    /// Bytes of the blocks and of the list of them.
    pub(super) fn bytes(&self) -> u64 {
        let blocks: usize = self.blocks.iter().map(Block::bytes).sum();
        (blocks + size_of_val(self.blocks.as_slice())) as u64
    }

    /// Checks every block and frees it; a checksum.
    ///
    /// # Panics
    /// When a block does not hold what was written to it.
    pub(super) fn check(self) -> u64 {
        let blocks = self.blocks.iter();
        blocks.fold(0, |checksum, block| mix(checksum, block.check()))
    }
}
