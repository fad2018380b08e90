//! Fresh blocks: those of a page that were never handed out. They are threaded in address order or, with
//! `hardening(shuffle)`, in a random one, within windows: small ones, since a program goes through what it built in
//! the order in which it built it, and the processor reads ahead where that is near the order of addresses.

use super::Page;
use crate::config::choices::{Choices, Derived};
use crate::mem::block::Block;
use crate::mem::random::{ORDER_MAX, Random};

/// Bytes of a window, unless that is fewer blocks than [`WINDOW_BLOCKS_MIN`].
const WINDOW_BYTES: u32 = 2 << 10;
/// Least blocks of a window.
const WINDOW_BLOCKS_MIN: u32 = 8;

const _: () = assert!(WINDOW_BYTES as usize <= ORDER_MAX * size_of::<usize>());

/// Blocks of a window.
fn window_of(block_bytes: u32) -> u32 {
    let fit = WINDOW_BYTES.checked_div(block_bytes).unwrap_or(0);
    fit.max(WINDOW_BLOCKS_MIN)
}

impl Page {
    /// Threads the next `count` blocks. `random` is what shuffling draws from.
    pub(crate) fn extend<C: Choices>(&self, count: u32, random: &Random) {
        let capacity = self.capacity.get();
        debug_assert!(count > 0 && count <= self.reserved.get() - capacity);
        let bytes = self.block_bytes.get() as usize;
        // SAFETY: `capacity <= reserved` (Inv. 1), so the offset stays in the page.
        let first = unsafe { self.start.get().add(capacity as usize * bytes) };
        if C::ZERO {
            // SAFETY: blocks below `reserved` (Inv. 1) that were never handed out (Inv. 3).
            unsafe { first.write_bytes(0, count as usize * bytes) };
        }
        if C::SHUFFLE {
            // SAFETY: as above.
            unsafe { self.thread_shuffled::<C>(first, count, random) };
        } else {
            // SAFETY: as above.
            unsafe { self.thread_in_order::<C>(first, count) };
        }
        self.free_count.set(self.free_count.get() + count);
        self.capacity.set(capacity + count);
    }

    /// Puts `count` blocks in front of `free`, the first one first.
    ///
    /// # Safety
    /// - the blocks from `first` on are of this page and were never handed out.
    #[inline(always)]
    unsafe fn thread_in_order<C: Choices>(&self, first: *mut u8, count: u32) {
        let bytes = self.block_bytes.get() as usize;
        let mut block = first;
        for _ in 1..count {
            // SAFETY: fewer than `count` blocks past `first`.
            let next = unsafe { block.add(bytes) };
            // SAFETY: never handed out, so nobody else uses it.
            unsafe { Block::set_next::<C>(block.cast(), next.cast()) };
            block = next;
        }
        // SAFETY: as above.
        unsafe { Block::set_next::<C>(block.cast(), self.free.get()) };
        self.free.set(first.cast());
    }

    /// Puts `count` blocks in front of `free`, in random order within each window.
    ///
    /// # Safety
    /// - as [`Page::thread_in_order`].
    unsafe fn thread_shuffled<C: Choices>(&self, first: *mut u8, count: u32, random: &Random) {
        let bytes = self.block_bytes.get() as usize;
        let window = window_of(self.block_bytes.get());
        let mut left = count;
        while left > 0 {
            // The last window first, so that what is handed out first is near the page's start.
            let len = (left - 1) % window + 1;
            left -= len;
            for index in random.order(len) {
                // SAFETY: fewer than `count` blocks past `first`.
                let block: *mut Block =
                    unsafe { first.add((left + u32::from(index)) as usize * bytes) }.cast();
                // SAFETY: never handed out, so nobody else uses it.
                unsafe { Block::set_next::<C>(block, self.free.get()) };
                self.free.set(block);
            }
        }
    }
}
