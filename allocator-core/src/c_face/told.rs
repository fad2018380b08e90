//! What AddressSanitizer is told of C's blocks, in a build with `--cfg allocator_track` (see `os/tracked.rs`).
//!
//! Huge blocks are left out: what the OS takes back, faults.

use core::ptr::NonNull;

use super::find::{Found, find};
use crate::config::choices::Derived;
use crate::heap::declared::Exported;
use crate::os::tracked;

/// Bytes of a block that are told of.
fn bytes<D: Exported>(block: NonNull<u8>) -> usize {
    // SAFETY: an address of somebody's.
    let found = unsafe { find::<D>(block) };
    match found {
        Found::Huge(_) => 0,
        // SAFETY: just found.
        _ => unsafe { found.usable_bytes::<D>(block) },
    }
}

/// The block, which was just handed out, or null; from now on it may be touched.
#[inline(always)]
pub(super) fn given<D: Exported>(block: *mut u8) -> *mut u8 {
    if D::TELLS
        && let Some(start) = NonNull::new(block)
    {
        tracked::given(block, bytes::<D>(start));
    }
    block
}

/// The block, or whatever is freed as one, must not be touched any more.
#[inline(always)]
pub(super) fn freed<D: Exported>(block: *mut u8) {
    if D::TELLS
        && let Some(start) = NonNull::new(block)
    {
        tracked::freed(block, bytes::<D>(start));
    }
}
