//! A block: one object slot. While it is free, its first word is the link to the next free block.
//!
//! A list ends with null or with an address that no block can have: an odd one.

use core::ptr;

/// A free block, seen as its link. Blocks are at least 8 bytes and 8-aligned.
#[repr(transparent)]
pub(crate) struct Block {
    next: *mut Block,
}

impl Block {
    /// The block after this one in its list.
    ///
    /// # Safety
    /// - `this` is a free block in a list that the caller owns.
    #[inline(always)]
    pub(crate) unsafe fn next(this: *mut Block) -> *mut Block {
        #[cfg(loom)]
        crate::base::modelled::reads(this.addr());
        // SAFETY: a free block's first word is an initialised link, and the list is the caller's.
        unsafe { (*this).next }
    }

    /// Whether a link is the end of its list.
    #[inline(always)]
    pub(crate) fn is_end(this: *mut Block) -> bool {
        this.is_null() || this.addr() % 2 == 1
    }

    /// Links `this` before `next`.
    ///
    /// # Safety
    /// - `this` is a block that nobody else uses or can reach.
    #[inline(always)]
    pub(crate) unsafe fn set_next(this: *mut Block, next: *mut Block) {
        #[cfg(loom)]
        crate::base::modelled::writes(this.addr());
        // SAFETY: the block is the caller's, at least a word long and word-aligned. The raw
        // write forms no reference to a word that may hold a user's old bytes.
        unsafe { (&raw mut (*this).next).write(next) };
    }
}

/// A list of free blocks with both ends and its length at hand.
#[derive(Clone, Copy)]
pub(crate) struct BlockList {
    /// First block; null when the list is empty.
    pub(crate) head: *mut Block,
    /// Last block; meaningless when the list is empty.
    pub(crate) tail: *mut Block,
    /// Blocks in the list.
    pub(crate) count: u32,
}

impl BlockList {
    pub(crate) const EMPTY: Self = Self {
        head: ptr::null_mut(),
        tail: ptr::null_mut(),
        count: 0,
    };

    /// Puts `block` first.
    ///
    /// # Safety
    /// - `block` is a block that nobody else uses or can reach.
    pub(crate) unsafe fn push(&mut self, block: *mut Block) {
        // SAFETY: the caller's promise.
        unsafe { Block::set_next(block, self.head) };
        if self.count == 0 {
            self.tail = block;
        }
        self.head = block;
        self.count += 1;
    }
}
