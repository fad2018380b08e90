//! Huge blocks: each has a mapping of its own, whose bytes follow from the
//! layout, so that nothing needs to be written down.

use core::ptr::NonNull;

use super::account::Account;
use crate::config::Thp;
use crate::config::choices::Choices;
use crate::os::{self, OS_PAGE_BYTES};

/// A zeroed block of `bytes`, whole OS pages, at a multiple of `align`. `None` without memory
/// or over the limit.
pub(crate) fn allocate<C: Choices>(
    account: &Account<C>,
    bytes: usize,
    align: usize,
) -> Option<NonNull<u8>> {
    if !account.charge(bytes) {
        return None;
    }
    let Some(start) = os::reserve(bytes, align.max(OS_PAGE_BYTES), 0) else {
        account.discharge(bytes);
        return None;
    };
    if C::CONFIG.thp != Thp::Default {
        // SAFETY: just mapped.
        unsafe { os::advise_huge(start, bytes, C::CONFIG.thp == Thp::Always) };
    }
    Some(start)
}

/// Frees a block.
///
/// # Safety
/// - `start` is a huge block of type `C` and `bytes` that its user gave back.
pub(crate) unsafe fn free<C: Choices>(account: &Account<C>, start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    if !unsafe { os::release(start, bytes) } {
        // The addresses stay; at least the memory behind them goes.
        // SAFETY: as above.
        unsafe { os::purge(start, bytes) };
    }
    account.discharge(bytes);
}

/// Resizes a block, moving it if its alignment allows; what is new reads as zero. `None` leaves
/// the block as it was.
///
/// # Safety
/// - `start` is a huge block of type `C` and `before` bytes at alignment `align`, the caller's own.
pub(crate) unsafe fn resize<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    before: usize,
    after: usize,
    align: usize,
) -> Option<NonNull<u8>> {
    if after > before && !account.charge(after - before) {
        return None;
    }
    // SAFETY: the caller's promise.
    let moved = unsafe { os::remap(start, before, after, align <= OS_PAGE_BYTES) };
    if moved.is_some() && after < before {
        account.discharge(before - after);
    }
    if moved.is_none() && after > before {
        account.discharge(after - before);
    }
    moved
}
