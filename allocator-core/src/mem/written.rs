//! Free blocks that are taken off their lists, to be handed out: whether somebody wrote to them.
//!
//! With `hardening(zero)` a free block is zero but for its link, and its note where it has one:
//! 1. Blocks are cleared when they are threaded and when their user gives them back.
//! 2. What is handed out is zero all over.

use super::block::Block;
use super::page::Page;
use super::report::report;
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};

/// Ends the process: a block that was free has been written to.
///
/// # Safety
/// - `block` is one of a page of type `C`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn free_block_written<C: Choices>(block: *mut Block) -> ! {
    // SAFETY: the block is in a page, hence in a chunk.
    let page = unsafe { Page::holding(block.cast()) };
    let class_bytes = page.map(|page| page.block_bytes() as usize);
    report::<C>(Fault::FreeBlockWritten, block.addr(), class_bytes)
}

/// Clears what a block held as a free one, and checks what it is not to have held.
///
/// # Safety
/// - `block` is a free one of type `C` and of `class` that is on no list.
pub(crate) unsafe fn hand_out<C: Choices>(block: *mut Block, class: usize) {
    // SAFETY: the caller's promise.
    if C::LINKS && unsafe { Block::unsign(block) }.is_none() {
        // SAFETY: the caller's promise.
        unsafe { free_block_written::<C>(block) };
    }
    // SAFETY: the caller's promise.
    unsafe { check_zero::<C>(block, class) };
}

/// Words of a free block that are link and note.
const fn words_in_use<C: Choices>() -> usize {
    if C::LINKS { 2 } else { 1 }
}

/// Clears a block that its user gave back (Inv. 1), if the type does so. Link and note are left alone:
/// what takes the block writes them, or has.
///
/// # Safety
/// - `block` is one of type `C` and `class`, in a page, that nobody uses.
#[inline]
pub(crate) unsafe fn clear<C: Choices>(block: *mut u8, class: usize) {
    if C::ZERO {
        let from = words_in_use::<C>() * size_of::<usize>();
        // SAFETY: the rest of the block; classes are no smaller than what a free block holds.
        unsafe {
            block
                .add(from)
                .write_bytes(0, C::block_bytes(class).saturating_sub(from));
        }
    }
}

/// Ends the process unless a block that is taken off its list is as it was cleared; then it is zero
/// (Inv. 2). Nothing where the type does not clear.
///
/// # Safety
/// - as [`hand_out`]; where links are signed, link and note have been cleared.
#[inline]
pub(crate) unsafe fn check_zero<C: Choices>(block: *mut Block, class: usize) {
    if !C::ZERO {
        return;
    }
    let words: *mut usize = block.cast();
    let mut written = 0;
    // All of them, so that it takes no branch for each.
    for index in words_in_use::<C>()..C::block_bytes(class) / size_of::<usize>() {
        // SAFETY: within the block, and initialised: cleared (Inv. 1).
        written |= unsafe { words.add(index).read() };
    }
    if written != 0 {
        // SAFETY: the caller's promise.
        unsafe { free_block_written::<C>(block) };
    }
    if !C::LINKS {
        // SAFETY: the block is the caller's, and a word long.
        unsafe { words.write(0) };
    }
}
