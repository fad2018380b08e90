//! Free blocks that are taken off their lists, to be handed out: whether somebody wrote to them.

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

/// Clears what a block held as a free one.
///
/// # Safety
/// - `block` is a free one of type `C` that is on no list.
pub(crate) unsafe fn hand_out<C: Choices>(block: *mut Block) {
    // SAFETY: the caller's promise.
    if C::LINKS && unsafe { Block::unsign(block) }.is_none() {
        // SAFETY: the caller's promise.
        unsafe { free_block_written::<C>(block) };
    }
}
