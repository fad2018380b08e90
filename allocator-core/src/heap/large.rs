//! Large blocks: whole slices in a row. They belong to no heap, so any thread
//! gives their memory back at once. Where a type has guards, a block ends with an OS page, and what is left
//! of the slices is a guard, which takes one more slice if need be; with `ends` alone that is so from 1 MiB on, and a
//! guard only outside of huge pages.

use core::ptr::NonNull;

use super::account::Account;
use super::claim::{Touch, claim_slices, guard_at, release_slices};
use crate::config::choices::{Choices, Derived};
use crate::config::size_class::BIN_BYTES;
use crate::mem::chunk::{Claimed, SLICE_BYTES};
use crate::mem::page::Owner;
use crate::mem::page::{Page, tail};
use crate::mem::{arena, cleared};
use crate::os::OS_PAGE_BYTES;

/// Where in a cache the bin is that no block is of: always idle, so that it takes none.
pub(crate) const fn no_bin<C: Choices>() -> u16 {
    (C::CONFIG.class_bytes.len() * BIN_BYTES) as u16
}

/// Bytes of `slices` that are a guard behind a block of `bytes`.
const fn guard_behind<C: Choices>(slices: usize, bytes: usize) -> usize {
    if C::ENDS {
        slices * SLICE_BYTES - bytes
    } else {
        0
    }
}

/// Bytes that a block really has.
pub(crate) fn usable_bytes<C: Choices>(page: &Page) -> usize {
    let slices = page.slices() as usize;
    match NonNull::new(page.start()) {
        // SAFETY: the block's slices are in use.
        Some(start) if C::ENDS => unsafe { tail::usable_bytes(start, slices) },
        _ => slices * SLICE_BYTES,
    }
}

/// A block of `bytes` in `slices`, from a multiple of `align` slices. `None` without memory or over the limit.
/// `owner` says which type it is of, `zeroed` whether it was asked for zeroed.
pub(crate) fn allocate<C: Choices>(
    account: &'static Account<C>,
    owner: &'static Owner,
    slices: usize,
    align: usize,
    bytes: usize,
    zeroed: bool,
) -> Option<Claimed> {
    // Who asks for zeroed memory may mean to touch it here and there, as a hash table does.
    let touch = if zeroed {
        Touch::HereAndThere
    } else {
        Touch::AllOver
    };
    let guard_bytes = guard_behind::<C>(slices, bytes);
    let claimed = claim_slices(account, slices, align, touch, guard_bytes)?;
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
    page.retire_header();
    // What the header says: nothing, if a program that is trusted frees what is inside a block.
    if let Some(start) = NonNull::new(page.start()) {
        // SAFETY: claimed for the block, which is none any more.
        unsafe { give_back(account, start, page.slices() as usize) };
    }
}

/// Gives slices back, cleared if the type does so.
///
/// # Safety
/// - the `slices` from `start` on were claimed for a block of type `C`, and nobody uses them; a guard is at their end at most.
unsafe fn give_back<C: Choices>(account: &Account<C>, start: NonNull<u8>, slices: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        cleared::clear::<C>(start, slices);
        release_slices(account, start, slices, C::CONFIG.purge);
    }
}

/// Makes a block `slices` long, of which it has `bytes`, without moving it; false when what is behind
/// it is in use or the limit is reached.
///
/// # Safety
/// - `start` is a large block of type `C`, the caller's own.
pub(crate) unsafe fn resize_in_place<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    slices: usize,
    bytes: usize,
) -> bool {
    // SAFETY: the caller's promise.
    let page = unsafe { Page::at(start.as_ptr()) };
    let before = page.slices() as usize;
    // SAFETY: a block's, hence claimed.
    let guard_bytes = unsafe { guard_at::<C>(start, guard_behind::<C>(slices, bytes)) };
    let resized = if slices > before {
        // SAFETY: the caller's promise.
        unsafe { grow(account, start, before, slices, guard_bytes) }
    } else {
        let guard = guard_bytes / OS_PAGE_BYTES;
        // SAFETY: what is behind the block is not needed; of what is to be usable, a guard at most
        // was there.
        let guarded = !C::ENDS || unsafe { tail::change(start, slices - 1, guard) };
        if guarded && slices < before {
            // SAFETY: claimed as part of the block, whose user gives it back.
            unsafe { release_end(account, start, slices, before) };
        }
        guarded
    };
    if resized {
        page.set_slices(slices as u32);
    }
    resized
}

/// Claims the slices from `before` to `slices` for a block, the last `guard_bytes` as a guard.
///
/// # Safety
/// - `start` is a large block of type `C` and `before` slices, the caller's own.
unsafe fn grow<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    before: usize,
    slices: usize,
    guard_bytes: usize,
) -> bool {
    let more = slices - before;
    if !account.charge(more * SLICE_BYTES) {
        return false;
    }
    // SAFETY: the block's slices are claimed by its user.
    if !unsafe { arena::claim_behind(start, before, more) } {
        account.discharge(more * SLICE_BYTES);
        return false;
    }
    if !C::NOTES {
        return true;
    }
    // SAFETY: within the block.
    let end = unsafe { start.add(before * SLICE_BYTES) };
    // SAFETY: just claimed.
    unsafe { cleared::take::<C>(end, more) };
    // SAFETY: as above.
    let guarded = unsafe { tail::guard_end(end, more, guard_bytes / OS_PAGE_BYTES) };
    // Last, because until then the block may have to stay as it was.
    // SAFETY: the block has had nothing where its guard was.
    let grown = guarded && unsafe { tail::change(start, before - 1, 0) };
    if !grown {
        // Not cleared: what refused to be made usable may lie among them.
        // SAFETY: just claimed.
        unsafe { release_slices(account, end, more, C::CONFIG.purge) };
    }
    grown
}

/// Gives the slices from `slices` to `before` back.
///
/// # Safety
/// - they were claimed for the block at `start`, and nobody uses them.
unsafe fn release_end<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    slices: usize,
    before: usize,
) {
    // SAFETY: within what was claimed.
    let end = unsafe { start.add(slices * SLICE_BYTES) };
    // SAFETY: the caller's promise.
    unsafe { give_back(account, end, before - slices) };
}
