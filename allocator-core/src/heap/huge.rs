//! Huge blocks: each has a mapping of its own, whose bytes follow from the
//! layout, so that nothing needs to be written down (but in debug builds, whose each is).

use core::ptr::{self, NonNull};

use super::account::Account;
use super::free::{OTHER_CLASS, OTHER_TYPE};
use super::huge_owners::{self, Known};
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
    huge_owners::note(start, type_of(account));
    Some(start)
}

/// An address that identifies the type: here it is that of its account.
fn type_of<C: Choices>(account: &Account<C>) -> *const () {
    ptr::from_ref(account).cast()
}

/// Frees a block.
///
/// # Safety
/// - `start` is a huge block of type `C` and `bytes` that its user gave back.
pub(crate) unsafe fn free<C: Choices>(account: &Account<C>, start: NonNull<u8>, bytes: usize) {
    huge_owners::forget(start);
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
    // Before: where the block moves away from, another may be mapped at once.
    huge_owners::forget(start);
    // SAFETY: the caller's promise.
    let moved = unsafe { os::remap(start, before, after, align <= OS_PAGE_BYTES) };
    huge_owners::note(moved.unwrap_or(start), type_of(account));
    if moved.is_some() && after < before {
        account.discharge(before - after);
    }
    if moved.is_none() && after > before {
        account.discharge(after - before);
    }
    moved
}

/// What is wrong with freeing `block` through the type with this `account`, as far as huge blocks are
/// concerned; `is_huge`: whether its layout says that it is one. For debug builds.
pub(crate) fn mismatch<C: Choices>(
    account: &Account<C>,
    block: *mut u8,
    is_huge: bool,
) -> Option<&'static str> {
    if !is_huge && !block.addr().is_multiple_of(OS_PAGE_BYTES) {
        return None;
    }
    match huge_owners::known(block) {
        Known::Of(owner) if owner != type_of(account) => Some(OTHER_TYPE),
        Known::Of(_) if !is_huge => Some(OTHER_CLASS),
        Known::NotThere if is_huge => {
            Some("freed a huge block that is not there: freed before, or of another size class")
        }
        Known::Of(_) | Known::NotThere | Known::Nothing => None,
    }
}
