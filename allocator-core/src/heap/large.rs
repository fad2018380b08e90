//! Large blocks: whole slices in a row. They belong to no heap, so any thread
//! gives their memory back at once.

use core::ptr::NonNull;

use super::account::Account;
use super::heap::{Touch, claim_slices, release_page};
use crate::config::choices::{Choices, Derived};
use crate::config::size_class::BIN_BYTES;
use crate::mem::arena;
use crate::mem::chunk::{Claimed, SLICE_BYTES};
use crate::mem::page::Owner;
use crate::mem::page::Page;

/// Where in a cache the bin is that no block is of: always idle, so that it takes none.
pub(crate) const fn no_bin<C: Choices>() -> u16 {
    (C::CONFIG.class_bytes.len() * BIN_BYTES) as u16
}

/// A block of `slices`, from a multiple of `align` slices. `None` without memory or over the limit.
/// `owner` says which type it is of, `zeroed` whether it was asked for zeroed.
pub(crate) fn allocate<C: Choices>(
    account: &Account<C>,
    owner: &'static Owner,
    slices: usize,
    align: usize,
    zeroed: bool,
) -> Option<Claimed> {
    // Who asks for zeroed memory may mean to touch it here and there, as a hash table does.
    let touch = if zeroed {
        Touch::HereAndThere
    } else {
        Touch::AllOver
    };
    let claimed = claim_slices(account, slices, align, touch)?;
    let start = claimed.start.as_ptr();
    // SAFETY: just claimed.
    let page = unsafe { Page::at(start) };
    page.init_large(start, slices as u32, owner);
    if C::EXPORTS {
        page.note_bin(no_bin::<C>());
    }
    Some(claimed)
}

/// Frees a block.
///
/// # Safety
/// - `start` is a large block of type `C` that its user gave back.
pub(crate) unsafe fn free<C: Choices>(account: &Account<C>, start: NonNull<u8>) {
    // SAFETY: the caller's promise.
    let page = unsafe { Page::at(start.as_ptr()) };
    release_page(account, page, C::CONFIG.purge);
}

/// Makes a block `slices` long without moving it; false when what is behind it is in use or the
/// limit is reached.
///
/// # Safety
/// - `start` is a large block of type `C`, the caller's own.
pub(crate) unsafe fn resize_in_place<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    slices: usize,
) -> bool {
    // SAFETY: the caller's promise.
    let page = unsafe { Page::at(start.as_ptr()) };
    let before = page.slices() as usize;
    if slices > before {
        let more = slices - before;
        if !account.charge(more * SLICE_BYTES) {
            return false;
        }
        // SAFETY: the block's slices are claimed by its user.
        if !unsafe { arena::claim_behind(start, before, more) } {
            account.discharge(more * SLICE_BYTES);
            return false;
        }
    } else if slices < before {
        let less = before - slices;
        // SAFETY: within the block.
        let tail = unsafe { start.add(slices * SLICE_BYTES) };
        // SAFETY: claimed as part of the block, whose user gives it back.
        unsafe { arena::release(tail, less, C::CONFIG.purge) };
        account.discharge(less * SLICE_BYTES);
    }
    page.set_slices(slices as u32);
    true
}
