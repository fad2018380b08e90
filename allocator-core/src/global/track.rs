//! The verbs in a build with `--cfg allocator_track`: those of `record`, and AddressSanitizer is told which blocks
//! are free (`os/tracked.rs`).
//!
//! Blocks with a mapping of their own are left out: what the OS takes back, faults. So are
//! types whose free blocks are cleared or whose blocks have canaries, which find for themselves what is written
//! there. Nothing is resized in place but within its class. The face of C tells for itself (`c_face/told.rs`).

use core::alloc::Layout;
use core::ptr;

use super::record;
use crate::config::choices::Derived;
use crate::heap::declared::Declared;
use crate::heap::route::{is_huge, route, usable_bytes};
use crate::os::tracked;

/// Bytes of a block that are told of; `None` where none are.
fn told_bytes<D: Declared>(layout: Layout) -> Option<usize> {
    (D::TELLS && !is_huge::<D>(layout)).then(|| usable_bytes::<D>(route::<D>(layout)))
}

/// [`record::allocate`]
pub fn allocate<D: Declared>(layout: Layout) -> *mut u8 {
    let block = record::allocate::<D>(layout);
    if let Some(bytes) = told_bytes::<D>(layout).filter(|_| !block.is_null()) {
        tracked::given(block, bytes);
    }
    block
}

/// [`record::allocate_zeroed`]
pub fn allocate_zeroed<D: Declared>(layout: Layout) -> *mut u8 {
    if told_bytes::<D>(layout).is_none() {
        return record::allocate_zeroed::<D>(layout);
    }
    let block = allocate::<D>(layout);
    if !block.is_null() {
        // SAFETY: just allocated with this size.
        unsafe { block.write_bytes(0, layout.size()) };
    }
    block
}

/// [`record::deallocate`]
///
/// # Safety
/// - as there.
pub unsafe fn deallocate<D: Declared>(block: *mut u8, layout: Layout) {
    // Before: afterwards it may be somebody else's.
    if let Some(bytes) = told_bytes::<D>(layout) {
        tracked::freed(block, bytes);
    }
    // SAFETY: the caller's promise.
    unsafe { record::deallocate::<D>(block, layout) }
}

/// [`record::reallocate`]
///
/// # Safety
/// - as there.
pub unsafe fn reallocate<D: Declared>(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
    let bytes = (told_bytes::<D>(layout), told_bytes::<D>(new_layout));
    if bytes.0 == bytes.1 {
        // Within the class, or of no block that is told of.
        // SAFETY: the caller's promise.
        return unsafe { record::reallocate::<D>(block, layout, new_size) };
    }
    let new = allocate::<D>(new_layout);
    if new.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: both are as long, and two blocks are apart.
    unsafe { new.copy_from_nonoverlapping(block, layout.size().min(new_size)) };
    // SAFETY: the caller's promise.
    unsafe { deallocate::<D>(block, layout) };
    new
}
