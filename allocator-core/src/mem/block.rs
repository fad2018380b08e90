//! A block: one object slot. While it is free, its first word is the link to the next free block.
//!
//! A list ends with null or with an address that no block can have: an odd one.
//!
//! With `hardening(links)` the link is hidden by a key, and the second word, the *note*, signs it:
//!
//! ```text
//! link = next ^ keys::link()
//! note = next ^ this            so that  link ^ note ^ this == keys::link()
//! ```
//! 1. Every block that is free and was handed out or threaded before is signed, wherever it waits.
//! 2. No block in use is: both words are cleared when it is handed out.
//!
//! Whoever writes to one of the words of a free block, or to all bytes of both, without knowing the
//! key breaks the signature, so a link need not be checked to lead to a block.

use core::ptr;

use super::keys;
use super::report::report;
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};
use crate::os::tracked;

/// A free block, seen as its link and its note. Blocks are at least 8 bytes and 8-aligned, and at
/// least 16 where links are signed.
#[repr(C)]
pub(crate) struct Block {
    next: *mut Block,
    /// Only with signed links.
    note: usize,
}

impl Block {
    /// The block after this one in its list, of blocks of `class_bytes`.
    ///
    /// # Safety
    /// - `this` is a free block in a list that the caller owns.
    #[inline(always)]
    pub(crate) unsafe fn next<C: Choices>(this: *mut Block, class_bytes: usize) -> *mut Block {
        #[cfg(loom)]
        crate::base::modelled::reads(this.addr());
        if !C::LINKS {
            // SAFETY: a free block's first word is an initialised link, and the list is the caller's.
            return unsafe { tracked::read((&raw const (*this).next).cast()) }.cast();
        }
        // SAFETY: the caller's promise.
        match unsafe { Block::signed_next(this) } {
            Some(next) => next,
            None => report::<C>(Fault::FreeBlockWritten, this.addr(), Some(class_bytes)),
        }
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
    pub(crate) unsafe fn set_next<C: Choices>(this: *mut Block, next: *mut Block) {
        #[cfg(loom)]
        crate::base::modelled::writes(this.addr());
        let link = if C::LINKS {
            next.map_addr(|next| next ^ keys::link())
        } else {
            next
        };
        // SAFETY: the block is the caller's, at least a word long and word-aligned. The raw
        // write forms no reference to a word that may hold a user's old bytes.
        unsafe { tracked::write((&raw mut (*this).next).cast(), link.cast()) };
        if C::LINKS {
            // SAFETY: as above, and at least two words long.
            unsafe {
                let note = ptr::without_provenance_mut(next.addr() ^ this.addr());
                tracked::write((&raw mut (*this).note).cast(), note);
            }
        }
    }

    /// The two words of a block.
    ///
    /// # Safety
    /// - `this` is two words long.
    #[inline(always)]
    unsafe fn words(this: *mut Block) -> (*mut u8, *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            (
                tracked::read((&raw const (*this).next).cast()),
                tracked::read((&raw const (*this).note).cast()),
            )
        }
    }

    /// What a signed block is linked to; `None` when its signature is broken.
    ///
    /// # Safety
    /// - as [`Block::next`], of a type whose links are signed.
    #[inline(always)]
    unsafe fn signed_next(this: *mut Block) -> Option<*mut Block> {
        // SAFETY: free blocks hold two initialised words (Inv. 1), and the list is the caller's.
        let (link, note) = unsafe { Block::words(this) };
        let next = link.map_addr(|link| link ^ keys::link());
        (next.addr() ^ this.addr() == note.addr()).then_some(next.cast())
    }

    /// What follows a signed block, which is to be handed out: it is cleared as far as it was link
    /// and note. `None` when its signature is broken.
    ///
    /// # Safety
    /// - as [`Block::next`], of a type whose links are signed.
    #[inline(always)]
    pub(crate) unsafe fn unsign(this: *mut Block) -> Option<*mut Block> {
        // SAFETY: the caller's promise.
        let next = unsafe { Block::signed_next(this) };
        if next.is_some() {
            // SAFETY: the block is the caller's, and two words long.
            unsafe {
                tracked::write((&raw mut (*this).next).cast(), ptr::null_mut());
                tracked::write((&raw mut (*this).note).cast(), ptr::null_mut());
            }
        }
        next
    }

    /// Whether a block is signed, hence free.
    ///
    /// # Safety
    /// - `this` is a block, in use or free, of a type whose links are signed.
    #[inline(always)]
    pub(crate) unsafe fn is_signed(this: *mut Block) -> bool {
        // SAFETY: two words long. They may hold a user's bytes, so they are read as what nobody
        // need have initialised, and made a number by `frozen`.
        let (link, note) = unsafe { Block::words(this) };
        frozen(link.addr() ^ note.addr()) ^ this.addr() == keys::link()
    }
}

/// `number`, as the machine has it. It may come of bytes that were never initialised, of which the
/// compiler would otherwise assume what it likes.
#[inline(always)]
fn frozen(mut number: usize) -> usize {
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {0} */", inout(reg) number, options(pure, nomem, nostack, preserves_flags));
    }
    number
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
    pub(crate) unsafe fn push<C: Choices>(&mut self, block: *mut Block) {
        // SAFETY: the caller's promise.
        unsafe { Block::set_next::<C>(block, self.head) };
        if self.count == 0 {
            self.tail = block;
        }
        self.head = block;
        self.count += 1;
    }
}
