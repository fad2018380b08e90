//! Large blocks: whole slices in a row. They belong to no heap, so any thread
//! gives their memory back at once.

use core::ptr::NonNull;

use super::declared::Declared;
use super::heap::release_page;
use super::upkeep;
use crate::config::Thp;
use crate::mem::arena;
use crate::mem::chunk::{Claimed, SLICE_BYTES};
use crate::mem::page::Page;

/// A block of `slices`, from a multiple of `align` slices. `None` without memory or over the limit.
pub(crate) fn allocate<D: Declared>(slices: usize, align: usize) -> Option<Claimed> {
    upkeep::run_if_due();
    let bytes = slices * SLICE_BYTES;
    if !D::shared().charge(bytes) {
        return None;
    }
    let Some(claimed) = arena::claim(slices, align) else {
        D::shared().discharge(bytes);
        return None;
    };
    if D::CONFIG.thp != Thp::Default {
        // SAFETY: just claimed.
        unsafe { arena::advise_huge(claimed.start, bytes, D::CONFIG.thp == Thp::Always) };
    }
    let start = claimed.start.as_ptr();
    // SAFETY: just claimed.
    let page = unsafe { Page::at(start) };
    page.init_large(start, slices as u32, &D::shared().orphans().owner);
    Some(claimed)
}

/// Frees a block.
///
/// # Safety
/// - `start` is a large block of type `D` that its user gave back.
pub(crate) unsafe fn free<D: Declared>(start: NonNull<u8>) {
    // SAFETY: the caller's promise.
    let page = unsafe { Page::at(start.as_ptr()) };
    release_page::<D>(page, D::CONFIG.purge);
    upkeep::run_if_due();
}

/// Makes a block `slices` long without moving it; false when what is behind it is in use or the
/// limit is reached.
///
/// # Safety
/// - `start` is a large block of type `D`, the caller's own.
pub(crate) unsafe fn resize_in_place<D: Declared>(start: NonNull<u8>, slices: usize) -> bool {
    // SAFETY: the caller's promise.
    let page = unsafe { Page::at(start.as_ptr()) };
    let before = page.slices() as usize;
    if slices > before {
        let more = slices - before;
        if !D::shared().charge(more * SLICE_BYTES) {
            return false;
        }
        // SAFETY: the block's slices are claimed by its user.
        if !unsafe { arena::claim_behind(start, before, more) } {
            D::shared().discharge(more * SLICE_BYTES);
            return false;
        }
    } else if slices < before {
        let less = before - slices;
        // SAFETY: within the block.
        let tail = unsafe { start.add(slices * SLICE_BYTES) };
        // SAFETY: claimed as part of the block, whose user gives it back.
        unsafe { arena::release(tail, less, D::CONFIG.purge) };
        D::shared().discharge(less * SLICE_BYTES);
    }
    page.set_slices(slices as u32);
    true
}
