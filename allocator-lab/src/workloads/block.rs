//! A block of raw memory that knows what must be in it.
//!
//! Only its first and its last bytes are written and checked: enough to notice
//! that it overlaps another one, and little beside what the allocator does.

use std::alloc::{self, GlobalAlloc, Layout};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Alignment of every block: that of most allocations of programs.
const ALIGN: usize = 8;

/// Bytes that the tag takes at either end.
const TAG_BYTES: usize = size_of::<u32>();

/// Where blocks come from.
pub trait Source: 'static {
    /// The one allocator that all blocks of this source are from.
    fn allocator() -> &'static impl GlobalAlloc;
}

/// The program's global allocator.
pub struct Global;

impl Source for Global {
    #[inline]
    fn allocator() -> &'static impl GlobalAlloc {
        &Self
    }
}

// SAFETY: every call goes, unchanged, to the program's one allocator.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { alloc::alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { alloc::dealloc(block, layout) }
    }
}

/// A block of the heap, tagged at both ends.
///
/// Invariants:
/// 1. `start` is a live allocation of `bytes` bytes of `S`, aligned to [`ALIGN`], that only this
///    value refers to;
/// 2. `bytes` is at least two tags;
/// 3. the first and the last [`TAG_BYTES`] of it are initialised.
pub(super) struct Block<S: Source = Global> {
    start: NonNull<u8>,
    bytes: u32,
    tag: u32,
    source: PhantomData<S>,
}

// SAFETY: a block is plain memory that nothing else refers to (Inv. 1); any thread may use and free it.
unsafe impl<S: Source> Send for Block<S> {}

impl<S: Source> Block<S> {
    /// Allocates a block and tags it.
    ///
    /// # Panics
    /// When the allocator returns null, or when two tags do not fit.
    pub(super) fn new(bytes: usize, tag: u32) -> Self {
        assert!(bytes >= 2 * TAG_BYTES, "two tags fit");
        let layout = layout(bytes);
        // SAFETY: the layout is not of size zero (checked above).
        let start = unsafe { S::allocator().alloc(layout) };
        let start = NonNull::new(start).unwrap_or_else(|| panic!("null for {bytes} bytes"));
        let block = Self {
            start,
            bytes: bytes as u32,
            tag,
            source: PhantomData,
        };
        for at in block.ends() {
            // SAFETY: in bounds of the allocation (`ends`), which is ours alone (Inv. 1).
            unsafe { at.write_unaligned(tag) };
        }
        block
    }

    /// The tag, from memory.
    ///
    /// # Panics
    /// When either end does not hold what was written to it.
    pub(super) fn check(&self) -> u64 {
        for at in self.ends() {
            // SAFETY: in bounds of the allocation (`ends`), and initialised (Inv. 3).
            let found = unsafe { at.read_unaligned() };
            assert_eq!(found, self.tag, "a block of {} bytes changed", self.bytes);
        }
        u64::from(self.tag)
    }

    /// Bytes that were asked for.
    pub(super) fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// Where the tags are.
    fn ends(&self) -> [NonNull<u32>; 2] {
        // SAFETY: the last tag begins within the allocation, as two tags fit (Inv. 2).
        let last = unsafe { self.start.add(self.bytes as usize - TAG_BYTES) };
        [self.start.cast(), last.cast()]
    }
}

impl<S: Source> Drop for Block<S> {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and nobody else's (Inv. 1).
        unsafe { S::allocator().dealloc(self.start.as_ptr(), layout(self.bytes())) };
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, ALIGN).expect("a size that was allocated before")
}

/// A size as programs ask for: many small ones, few of some hundred bytes.
/// 16 to 512, the half of them below 64.
pub(super) fn mixed_bytes(rng: &mut fastrand::Rng) -> usize {
    let bits = rng.u32(..);
    let range = 32 << (bits % 6).min((bits >> 8) % 6).min(4);
    16 + (bits >> 16) as usize % (range - 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_sizes_are_small_for_the_most_part_and_within_bounds() {
        let mut rng = fastrand::Rng::with_seed(1);
        let sizes: Vec<usize> = (0..10_000).map(|_| mixed_bytes(&mut rng)).collect();
        assert!(sizes.iter().all(|bytes| (16..=512).contains(bytes)));
        let small = sizes.iter().filter(|&&bytes| bytes < 64).count();
        assert!((5_000..8_500).contains(&small), "{small}");
        assert!(sizes.iter().any(|&bytes| bytes > 400));
    }

    #[test]
    #[should_panic(expected = "a block of 16 bytes changed")]
    fn a_block_that_was_written_over_is_noticed() {
        let block: Block = Block::new(16, 7);
        // SAFETY: within the block.
        unsafe { block.start.write(8) };
        block.check();
    }
}
