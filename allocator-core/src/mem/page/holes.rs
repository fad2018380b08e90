//! Holes: OS pages inside a page with live blocks whose memory is given back.
//!
//! A page of which a few blocks live on pins all of its memory, although most of its OS pages hold
//! nothing but free blocks. Those can go: their blocks leave the lists, the OS takes the memory,
//! and extending threads them again when the page has nothing else, which touches fresh memory.
//!
//! 1. A hole is a run of granules. A block that overlaps one is below `capacity`, free, and on no
//!    list.
//! 2. `hole_blocks` is the number of blocks that overlap a hole.
//!
//! The lists run through the blocks, so finding holes reads every free block of the page: it is done
//! when the program asks for a purge, not on the way.

use core::ptr::NonNull;

use super::Page;
use crate::config::choices::Choices;
use crate::mem::block::Block;
use crate::mem::chunk::SLICE_BYTES;
use crate::os::{self, OS_PAGE_BYTES};

/// Granules of a page at most: bits of its mask.
const GRANULES: usize = u64::BITS as usize;

/// Smaller blocks lie in no holes: a granule without a used one would be rare, and their number would
/// not fit `hole_blocks`.
const BLOCK_BYTES_MIN: u32 = 64;

impl Page {
    /// Whether looking for holes is likely to find some: at most half of the blocks are used, and
    /// the page has none already.
    pub(crate) fn may_have_holes(&self) -> bool {
        self.block_bytes() >= BLOCK_BYTES_MIN
            && self.holes.get() == 0
            && self.used() <= self.reserved() / 2
    }

    /// Gives the memory of what is free back to the OS, as far as it is whole granules. The page is
    /// attached to no bin.
    pub(crate) fn make_holes<C: Choices>(&self) {
        let (granule, bytes) = (self.granule_bytes(), self.block_bytes() as usize);
        // How much of each granule is free: what is on the lists, and what no block fits in. Blocks
        // not threaded yet may be at any time, so they lie in no hole.
        let mut free = [0; GRANULES];
        let end = self.reserved() as usize * bytes;
        add_range(&mut free, granule, end..self.bytes());
        self.collect_all::<C>();
        let mut block = self.free.get();
        while !Block::is_end(block) {
            add_range(&mut free, granule, self.range_of(block));
            // SAFETY: the list is the owner's.
            block = unsafe { Block::next::<C>(block, bytes) };
        }
        // A page of fewer granules leaves the rest of them covered by nothing.
        let holes = (0..GRANULES)
            .filter(|&index| free[index] == granule)
            .fold(0, |holes, index| holes | 1 << index);
        self.holes.set(holes);
        self.drop_listed_in_holes::<C>();
        for (first, count) in runs(holes) {
            // SAFETY: within the page.
            let start = unsafe { self.start().add(first * granule) };
            if let Some(start) = NonNull::new(start) {
                // If the OS refuses, the blocks wait all the same until they are threaded again.
                // SAFETY: nobody uses what is there: no block that is used overlaps it.
                unsafe { os::purge(start, count * granule) };
            }
        }
    }

    /// Takes the blocks in holes off the `free` list, the only one that is not empty.
    fn drop_listed_in_holes<C: Choices>(&self) {
        let bytes = self.block_bytes() as usize;
        let (mut block, _) = self.take_free();
        let (mut kept, mut dropped) = (0, 0);
        while !Block::is_end(block) {
            // SAFETY: the list is the owner's.
            let next = unsafe { Block::next::<C>(block, bytes) };
            if self.holes.get() & self.granules_of(block) == 0 {
                // SAFETY: as above.
                unsafe { Block::set_next::<C>(block, self.free.get()) };
                self.free.set(block);
                kept += 1;
            } else {
                dropped += 1;
            }
            block = next;
        }
        self.free_count.set(kept);
        self.hole_blocks.set(dropped);
    }

    /// Threads the blocks of the first hole; false when there is none.
    pub(crate) fn thread_hole<C: Choices>(&self) -> bool {
        let Some((first, count)) = runs(self.holes.get()).next() else {
            return false;
        };
        let hole = mask(first, count);
        self.holes.set(self.holes.get() & !hole);
        // Never 0; written so that the compiler sees that nothing here can panic.
        let bytes = self.block_bytes().max(1) as usize;
        let start = first * self.granule_bytes() / bytes;
        let end = ((first + count) * self.granule_bytes()).div_ceil(bytes);
        for index in (start..end.min(self.capacity.get() as usize)).rev() {
            // SAFETY: below `capacity`, hence in the page.
            let block: *mut Block = unsafe { self.start().add(index * bytes) }.cast();
            let granules = self.granules_of(block);
            // Others stay until the other hole that they overlap is threaded.
            if granules & hole != 0 && granules & self.holes.get() == 0 {
                // SAFETY: free and on no list (Inv. 1), so the owner's.
                unsafe { Block::set_next::<C>(block, self.free.get()) };
                self.free.set(block);
                self.free_count.set(self.free_count.get() + 1);
                self.hole_blocks.set(self.hole_blocks.get() - 1);
            }
        }
        // Of a hole that shares all its blocks with others, nothing was threaded.
        self.has_free() || self.thread_hole::<C>()
    }

    /// Bytes that one bit of the mask stands for.
    fn granule_bytes(&self) -> usize {
        (self.bytes() / GRANULES).max(OS_PAGE_BYTES)
    }

    fn bytes(&self) -> usize {
        self.slices() as usize * SLICE_BYTES
    }

    /// Where a block lies in its page.
    fn range_of(&self, block: *mut Block) -> core::ops::Range<usize> {
        let offset = block.addr() - self.start().addr();
        offset..offset + self.block_bytes() as usize
    }

    /// The granules that a block overlaps.
    fn granules_of(&self, block: *mut Block) -> u64 {
        let range = self.range_of(block);
        let first = range.start / self.granule_bytes();
        mask(first, range.end.div_ceil(self.granule_bytes()) - first)
    }

    /// Asserts the invariants.
    pub(super) fn check_holes<C: Choices>(&self) {
        let bytes = self.block_bytes() as usize;
        let in_holes = (0..self.capacity.get() as usize)
            .map(|index| self.start().wrapping_add(index * bytes).cast())
            .filter(|&block| self.holes.get() & self.granules_of(block) != 0);
        assert_eq!(
            in_holes.count(),
            self.hole_blocks.get() as usize,
            "holes invariant 2"
        );
        let mut block = self.free.get();
        while !Block::is_end(block) {
            assert_eq!(
                self.holes.get() & self.granules_of(block),
                0,
                "holes invariant 1"
            );
            // SAFETY: the list is the owner's.
            block = unsafe { Block::next::<C>(block, bytes) };
        }
    }
}

/// `count` bits from `first` on.
fn mask(first: usize, count: usize) -> u64 {
    debug_assert!(count > 0 && first + count <= GRANULES);
    u64::MAX >> (GRANULES - count) << first
}

/// The runs of set bits, as (first, count).
fn runs(mut bits: u64) -> impl Iterator<Item = (usize, usize)> {
    core::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let first = bits.trailing_zeros() as usize;
        let count = (bits >> first).trailing_ones() as usize;
        bits &= !mask(first, count);
        Some((first, count))
    })
}

/// Adds to each granule how much of it the range covers.
fn add_range(free: &mut [usize; GRANULES], granule: usize, range: core::ops::Range<usize>) {
    let mut from = range.start;
    while from < range.end {
        let end = range.end.min((from / granule + 1) * granule);
        // Always there; written so that the compiler sees that nothing here can panic.
        if let Some(free) = free.get_mut(from / granule) {
            *free += end - from;
        }
        from = end;
    }
}
