//! Taking blocks back from C, and resizing them: by their address.

use core::ptr::{self, NonNull};

use super::find::{Found, find, is_in_chunk};
use super::give::{layout, malloc, uncounted};
use super::lookup::{bin_offset, is_direct};
use super::{errno, told, word};
use crate::config::Fault;
use crate::config::choices::Derived;
use crate::config::size_class::{BIN_BYTES, MALLOC_ALIGN};
use crate::global::deallocate::{count_free, deallocate_in_class, deallocate_large};
use crate::global::record::{room_for_word, trace_resize};
use crate::heap::cache::Cache;
use crate::heap::declared::{Exported, cache};
use crate::heap::large::{self, no_bin};
use crate::heap::route::{self, Route};
use crate::heap::{canary, huge_headed, sample, upkeep};
use crate::mem::page::Page;
use crate::mem::report::report;
use crate::mem::zero_sized;
use crate::os;

/// `free`
///
/// # Safety
/// - `block` is null, or a block of this face that its user gives back. What somebody else allocated is
///   left alone.
#[inline(always)]
pub unsafe fn free<D: Exported>(block: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { free_counted::<D>(block, D::RECORDS) }
}

/// Frees a block, and counts it as freed if `is_counted`.
///
/// # Safety
/// - as [`free`].
#[inline(always)]
unsafe fn free_counted<D: Exported>(block: *mut u8, is_counted: bool) {
    told::freed::<D>(block);
    // Where there are canaries, the block is looked at before its canary is.
    if !D::CANARIES
        // SAFETY: null or an address of somebody's.
        && unsafe { is_in_chunk::<D>(block) }
        // SAFETY: null or the calling thread's cache.
        && let Some(cache) = unsafe { cache::<D>().as_ref() }
    {
        // SAFETY: a block of this face in a chunk: the bin of its page is noted, and so is that of a
        // large one, which takes none.
        let offset = unsafe { Page::bin_of(block) };
        // SAFETY: as above.
        if is_counted && !unsafe { is_counted_in_class(cache, block, offset) } {
            // SAFETY: the caller's promise.
            return unsafe { free_noted::<D>(block) };
        }
        // SAFETY: the cache is the calling thread's; the block is of this class.
        if is_bin::<D>(offset) && unsafe { cache.push(offset, block) } {
            return count_free(cache);
        }
    } else if is_counted {
        // SAFETY: the caller's promise.
        return unsafe { free_noted::<D>(block) };
    }
    // SAFETY: the caller's promise.
    unsafe { free_elsewhere::<D>(block) }
}

/// Counts a block of the class that has its bin at `offset` as freed, if that takes no more than counting;
/// whether it did.
///
/// # Safety
/// - `block` lies in a chunk, and in a page of this class, if there is a bin at `offset`.
#[inline(always)]
unsafe fn is_counted_in_class<D: Exported>(cache: &Cache<D>, block: *mut u8, offset: u16) -> bool {
    if D::PAGES || offset >= no_bin::<D>() {
        return false;
    }
    // SAFETY: in a chunk.
    let start = unsafe { NonNull::new_unchecked(block) };
    let bytes = D::block_bytes(offset as usize / BIN_BYTES);
    // SAFETY: a block of this class, with its word.
    unsafe { word::count_free_of::<D>(cache.tally(), start, bytes) }
}

/// Notes that a block is freed, and frees it.
///
/// # Safety
/// - as [`free`].
#[cold]
#[inline(never)]
unsafe fn free_noted<D: Exported>(block: *mut u8) {
    if let Some(start) = NonNull::new(block) {
        // SAFETY: an address of somebody's.
        unsafe { word::note_free_of::<D>(start) };
    }
    // SAFETY: the caller's promise.
    unsafe { free_counted::<D>(block, false) }
}

/// Whether there is a bin at `offset`. What is no block, so that its header may be any words of a chunk's,
/// is freed only where `hardening` looks.
#[inline(always)]
fn is_bin<D: Exported>(offset: u16) -> bool {
    !D::PAGES || offset <= no_bin::<D>() && (offset as usize).is_multiple_of(BIN_BYTES)
}

/// # Safety
/// - as [`free`].
#[cold]
#[inline(never)]
unsafe fn free_elsewhere<D: Exported>(block: *mut u8) {
    let Some(block) = NonNull::new(block) else {
        return;
    };
    // SAFETY: an address of somebody's.
    let found = unsafe { find::<D>(block) };
    // SAFETY: just found.
    unsafe { check_end::<D>(&found, block) };
    errno::kept(|| match found {
        // SAFETY: the caller's promise.
        Found::Class(class) => unsafe { deallocate_in_class::<D>(block, class) },
        // SAFETY: the caller's promise.
        Found::Large(_) => unsafe { deallocate_large::<D>(block) },
        Found::Huge(head) => {
            D::shared().count_free(false);
            // SAFETY: the caller's promise.
            unsafe { huge_headed::free(D::shared().account(), head) };
            upkeep::run_if_due();
        }
        Found::ZeroSized => {
            D::shared().count_free(false);
            if let Err(fault) = zero_sized::free(block) {
                report::<D>(fault, block.addr().get(), None);
            }
        }
        Found::Nothing => blame_foreign::<D>(block),
    });
}

/// Ends the process if somebody wrote behind the block, which is given back or resized: over its canary, or over the
/// word before that, where requests are recorded. A sampled one has a guard behind it in place of a canary, and all
/// of it is one once it is free.
///
/// # Safety
/// - `block` is what `found` says.
unsafe fn check_end<D: Exported>(found: &Found, block: NonNull<u8>) {
    if !D::CANARIES {
        return;
    }
    if !sample::is_sampled::<D>(block.as_ptr()) {
        // SAFETY: the caller's promise.
        unsafe { found.usable_bytes::<D>(block) };
    }
    // SAFETY: as above.
    if D::RECORDS && !unsafe { word::is_kept::<D>(block) } {
        canary::blame::<D>(block.as_ptr(), found.class());
    }
}

/// Ends the process over what is nothing of the type, where freed pointers are looked at.
fn blame_foreign<D: Exported>(block: NonNull<u8>) {
    if D::PAGES {
        report::<D>(Fault::NotOurs, block.addr().get(), None);
    }
}

/// `realloc`: as glibc has it, a size of 0 frees the block and returns null.
///
/// # Safety
/// - as [`free`]; when this returns null for a size that is not 0, the block is still its user's.
#[inline]
pub unsafe fn realloc<D: Exported>(block: *mut u8, size: usize) -> *mut u8 {
    let Some(start) = NonNull::new(block) else {
        return malloc::<D>(size);
    };
    if size == 0 {
        // SAFETY: the caller's promise.
        unsafe { free::<D>(block) };
        return ptr::null_mut();
    }
    if D::RECORDS {
        // SAFETY: the caller's promise.
        return unsafe { realloc_counted::<D>(start, size) };
    }
    // SAFETY: the caller's promise.
    unsafe { realloc_uncounted::<D>(start, size) }
}

/// # Safety
/// - as [`realloc`], of a size that is not 0.
unsafe fn realloc_counted<D: Exported>(start: NonNull<u8>, size: usize) -> *mut u8 {
    // SAFETY: an address of somebody's.
    let before = unsafe { word::read::<D>(start) };
    let size_with_word = size.saturating_add(room_for_word::<D>(1));
    // SAFETY: the caller's promise.
    let block = unsafe { realloc_uncounted::<D>(start, size_with_word) };
    if let Some(resized) = NonNull::new(block) {
        // SAFETY: just resized.
        unsafe { word::note_resized::<D>(resized, before, size) };
        trace_resize::<D>(start.as_ptr(), block, 1, size);
    }
    block
}

/// # Safety
/// - as [`realloc`], of a size that is not 0.
#[inline(always)]
unsafe fn realloc_uncounted<D: Exported>(start: NonNull<u8>, size: usize) -> *mut u8 {
    let block = start.as_ptr();
    // SAFETY: an address of somebody's.
    let stays = is_direct::<D>(size)
        && unsafe { is_in_chunk::<D>(block) }
        // SAFETY: as in free().
        && unsafe { Page::bin_of(block) } == bin_offset::<D>(size);
    if stays {
        if D::PAGES || D::LINKS || D::CANARIES {
            // SAFETY: an address of somebody's; what it is, is looked at on the way.
            unsafe { check_end::<D>(&find::<D>(start), start) };
        }
        let class = bin_offset::<D>(size) as usize / BIN_BYTES;
        // SAFETY: the caller's own, of this class.
        return unsafe { canary::signed_in_class::<D>(block, class, size) };
    }
    // SAFETY: the caller's promise.
    unsafe { resize::<D>(start, size) }
}

/// # Safety
/// - as [`realloc`], of a size that is not 0.
#[inline(never)]
unsafe fn resize<D: Exported>(block: NonNull<u8>, size: usize) -> *mut u8 {
    // SAFETY: an address of somebody's.
    let found = unsafe { find::<D>(block) };
    // SAFETY: just found.
    unsafe { check_end::<D>(&found, block) };
    // SAFETY: as above.
    let usable_bytes = unsafe { found.usable_bytes::<D>(block) };
    if let Found::Nothing = found {
        blame_foreign::<D>(block);
        return errno::fail(libc::EINVAL);
    }
    // SAFETY: the caller's promise.
    if let Some(resized) = errno::kept(|| unsafe { resize_in_place::<D>(block, found, size) }) {
        // It may have grown into what was free.
        return told::given::<D>(resized.as_ptr());
    }
    let before = os::errno();
    let moved = told::given::<D>(uncounted::<D>(size));
    if moved.is_null() {
        if size > usable_bytes {
            return moved;
        }
        // Nobody expects that a block cannot become smaller.
        os::set_errno(before);
        return block.as_ptr();
    }
    let bytes = size.min(usable_bytes);
    // SAFETY: both blocks are at least this long, and the new one is nobody else's.
    unsafe { ptr::copy_nonoverlapping(block.as_ptr(), moved, bytes) };
    // SAFETY: the caller's promise; the content has moved.
    unsafe { free_counted::<D>(block.as_ptr(), false) };
    moved
}

/// The block with `size` bytes, if that takes no other block: where it is, or moved as pages are.
///
/// # Safety
/// - as [`realloc`]; `found` is what the block is.
unsafe fn resize_in_place<D: Exported>(
    block: NonNull<u8>,
    found: Found,
    size: usize,
) -> Option<NonNull<u8>> {
    let layout = layout::<D>(size, MALLOC_ALIGN)?;
    let account = D::shared().account();
    match (found, route::route::<D>(layout)) {
        (Found::Class(before), Route::Class(after)) => {
            (before == after).then(|| {
                // SAFETY: it has this layout now.
                unsafe { canary::signed::<D>(block.as_ptr(), layout) };
                block
            })
        }
        (Found::Large(_), Route::Large { slices, bytes, .. }) => {
            // SAFETY: the caller's promise; the block is large.
            let resized = unsafe { large::resize_in_place(account, block, slices, bytes) };
            // SAFETY: it has this layout now.
            resized.then(|| unsafe { canary::signed::<D>(block.as_ptr(), layout) });
            resized.then_some(block)
        }
        (Found::Huge(head), Route::Huge { bytes }) => {
            if head.block_bytes() == bytes {
                return Some(block);
            }
            // SAFETY: the caller's promise.
            unsafe { huge_headed::resize(account, head, bytes) }
        }
        _ => None,
    }
}

/// `malloc_usable_size`
///
/// # Safety
/// - `block` is null or a block of this face in use; 0 is what others' blocks have.
pub unsafe fn usable_size<D: Exported>(block: *mut u8) -> usize {
    match NonNull::new(block) {
        Some(block) => {
            // SAFETY: an address of somebody's, and what it was found to be.
            let bytes = unsafe { find::<D>(block).usable_bytes::<D>(block) };
            match D::RECORDS {
                // SAFETY: as above.
                true => unsafe { word::usable_of::<D>(block, bytes) },
                false => bytes,
            }
        }
        None => 0,
    }
}
