//! Huge blocks: each has a mapping of its own, whose bytes follow from the
//! layout, so that nothing needs to be written down.

use core::ptr::NonNull;

use super::declared::Declared;
use super::upkeep;
use crate::config::Thp;
use crate::os::{self, OS_PAGE_BYTES};

/// A zeroed block of `bytes`, whole OS pages, at a multiple of `align`. `None` without memory
/// or over the limit.
pub(crate) fn allocate<D: Declared>(bytes: usize, align: usize) -> Option<NonNull<u8>> {
    upkeep::run_if_due();
    if !D::shared().charge(bytes) {
        return None;
    }
    let Some(start) = os::reserve(bytes, align.max(OS_PAGE_BYTES), 0) else {
        D::shared().discharge(bytes);
        return None;
    };
    if D::CONFIG.thp != Thp::Default {
        // SAFETY: just mapped.
        unsafe { os::advise_huge(start, bytes, D::CONFIG.thp == Thp::Always) };
    }
    Some(start)
}

/// Frees a block.
///
/// # Safety
/// - `start` is a huge block of type `D` and `bytes` that its user gave back.
pub(crate) unsafe fn free<D: Declared>(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    if !unsafe { os::release(start, bytes) } {
        // The addresses stay; at least the memory behind them goes.
        // SAFETY: as above.
        unsafe { os::purge(start, bytes) };
    }
    D::shared().discharge(bytes);
    upkeep::run_if_due();
}

/// Resizes a block, moving it if its alignment allows; what is new reads as zero. `None` leaves
/// the block as it was.
///
/// # Safety
/// - `start` is a huge block of type `D` and `before` bytes at alignment `align`, the caller's own.
pub(crate) unsafe fn resize<D: Declared>(
    start: NonNull<u8>,
    before: usize,
    after: usize,
    align: usize,
) -> Option<NonNull<u8>> {
    if after > before && !D::shared().charge(after - before) {
        return None;
    }
    // SAFETY: the caller's promise.
    let moved = unsafe { os::remap(start, before, after, align <= OS_PAGE_BYTES) };
    if moved.is_some() && after < before {
        D::shared().discharge(before - after);
    }
    if moved.is_none() && after > before {
        D::shared().discharge(after - before);
    }
    moved
}
