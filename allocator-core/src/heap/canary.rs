//! Canaries: with `hardening(canaries)` eight bytes behind each block are signed when it is handed out, and
//! checked when it comes back, so that an overflow by as little as a byte is found at the free.
//!
//! A request is *served* as one that is so much longer:
//!
//! ```text
//! ┌────────────────┬────────┬──────────┐
//! │ what was asked │ canary │ the rest │             where a free is told the layout
//! ├────────────────┼────────┼──────────┼────────┐
//! │ what was asked │ canary │ the rest │ canary │    where it is not: the last eight bytes also say
//! └────────────────┴────────┴──────────┴────────┘    where the first are, which may reach into them
//! ```
//!
//! 1. What is served in a class or as a large block has a canary; a huge block has none: it ends where its
//!    guard begins.
//! 2. Where the canary is follows from the layout, or from the block where that is all there is.

use core::alloc::Layout;

use super::declared::Declared;
use super::route::{self, Route};
use super::{large, sample};
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};
use crate::mem::page::Page;
use crate::mem::report::report;
use crate::mem::written;

/// Bytes that a request is served more.
#[inline(always)]
pub(crate) const fn bytes<C: Choices>() -> usize {
    if C::CONFIG.hardening.canaries {
        size_of::<u64>()
    } else {
        0
    }
}

/// What `layout` is served as.
#[inline(always)]
pub(crate) fn served<C: Choices>(layout: Layout) -> Layout {
    if !C::CANARIES || route::is_huge::<C>(layout) {
        return layout;
    }
    // SAFETY: the alignment is one; what is not huge is far from any limit.
    unsafe { Layout::from_size_align_unchecked(layout.size() + bytes::<C>(), layout.align()) }
}

/// Bytes of the block of `served`; `None` where it has no canary (Inv. 1).
///
/// # Safety
/// - `block` is one of type `D` and of this layout.
unsafe fn block_bytes<D: Declared>(block: *mut u8, served: Layout) -> Option<usize> {
    match route::route::<D>(served) {
        Route::Class(class) => Some(D::block_bytes(class)),
        // SAFETY: the caller's promise: a large block, with a header.
        Route::Large { .. } => Some(large::usable_bytes::<D>(unsafe { Page::at(block) })),
        Route::Huge { .. } | Route::Impossible => None,
    }
}

/// Bytes of a block of `layout` that its user has, of the `usable` that it really has.
pub(crate) fn left_of<C: Choices>(layout: Layout, usable: usize) -> usize {
    if C::CANARIES && !route::is_huge::<C>(served::<C>(layout)) {
        layout.size()
    } else {
        usable
    }
}

/// Signs a block of `served` that is handed out, if there is one and the type signs; the block.
///
/// # Safety
/// - `block` is null, or one of type `D` and this layout, the caller's own.
#[inline(always)]
pub(crate) unsafe fn signed<D: Declared>(block: *mut u8, served: Layout) -> *mut u8 {
    if !D::CANARIES || block.is_null() || route::is_huge::<D>(served) {
        return block;
    }
    let asked = served.size() - bytes::<D>();
    if !D::EXPORTS {
        // SAFETY: within the block, as it is served.
        unsafe { written::sign_end(block.add(asked)) };
    // SAFETY: the caller's promise.
    } else if let Some(bytes) = unsafe { block_bytes::<D>(block, served) } {
        // SAFETY: the block's own bytes, which have room for what is served.
        unsafe { written::sign_ends(block, asked, bytes) };
    }
    block
}

/// As [`signed`], of a block of a class of which `asked` bytes were asked for, and whose layout nobody will tell.
///
/// # Safety
/// - `block` is null, or one of `class`, the caller's own, and served with its canary.
#[inline(always)]
pub(crate) unsafe fn signed_in_class<C: Choices>(
    block: *mut u8,
    class: usize,
    asked: usize,
) -> *mut u8 {
    if C::CANARIES && !block.is_null() {
        // SAFETY: within the block.
        unsafe { written::sign_ends(block, asked, C::block_bytes(class)) };
    }
    block
}

/// Ends the process if somebody wrote behind the block, which its user gives back; `class`: `None` for one of
/// none. Of a sampled block nothing is asked: behind it is a guard, and once it is freed, all of it is one.
///
/// # Safety
/// - `block` is one of type `D` and this layout, as far as the type looks, and has been looked at.
#[inline(always)]
pub(crate) unsafe fn check<D: Declared>(block: *mut u8, served: Layout, class: Option<usize>) {
    if !D::CANARIES || route::is_huge::<D>(served) || sample::is_sampled::<D>(block) {
        return;
    }
    if !D::EXPORTS {
        // SAFETY: the caller's promise.
        if !unsafe { written::is_end_signed(block.add(served.size() - bytes::<D>())) } {
            blame::<D>(block, class);
        }
    // SAFETY: as above.
    } else if let Some(bytes) = unsafe { block_bytes::<D>(block, served) } {
        // SAFETY: as above.
        unsafe { asked::<D>(block, bytes, class) };
    }
}

/// Whether what is behind a block of a class is as it was signed, where blocks are.
///
/// # Safety
/// - as [`check`]; the block is not sampled.
#[inline(always)]
pub(crate) unsafe fn is_sound<D: Declared>(block: *mut u8, served: Layout) -> bool {
    if !D::CANARIES {
        return true;
    }
    if !D::EXPORTS {
        // SAFETY: the caller's promise.
        return unsafe { written::is_end_signed(block.add(served.size() - bytes::<D>())) };
    }
    // SAFETY: as above.
    unsafe { block_bytes::<D>(block, served) }
        // SAFETY: as above.
        .is_none_or(|bytes| unsafe { written::asked(block, bytes) }.is_some())
}

/// What was asked for of a block of `bytes`, where no layout says so. Ends the process if somebody wrote behind that.
///
/// # Safety
/// - `block` is one of type `D` that has a canary, as far as the type looks, and has been looked at.
#[inline(always)]
pub(crate) unsafe fn asked<D: Declared>(
    block: *mut u8,
    bytes: usize,
    class: Option<usize>,
) -> usize {
    if !D::CANARIES {
        return bytes;
    }
    // SAFETY: the caller's promise.
    match unsafe { written::asked(block, bytes) } {
        Some(asked) => asked,
        None => blame::<D>(block, class),
    }
}

/// Ends the process over a block that somebody wrote behind.
#[cold]
#[inline(never)]
pub(crate) fn blame<D: Declared>(block: *mut u8, class: Option<usize>) -> ! {
    let class_bytes = class.map(D::block_bytes);
    report::<D>(Fault::Overflow, block.addr(), class_bytes)
}
