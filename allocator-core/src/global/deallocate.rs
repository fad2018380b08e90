//! A free that leaves the fast path: to another page than the bin's, to another heap's, by a layout that is looked
//! at, or of a thread without a heap.

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::config::choices::Derived;
use crate::config::size_class::BIN_BYTES;
use crate::heap::cache::Cache;
use crate::heap::declared::{Declared, cache, current};
use crate::heap::foreign::Sent;
use crate::heap::heap::Heap;
use crate::heap::route::{Route, route};
use crate::heap::{canary, free, huge, large, misuse, sample, upkeep};
use crate::mem::report::report;
use crate::mem::written;

/// # Safety
/// - `block` is a block of type `D` and this class that its user gave back; where there are canaries, it has
///   been looked at.
pub(crate) unsafe fn deallocate_in_class<D: Declared>(block: NonNull<u8>, class: usize) {
    let block = block.as_ptr();
    // SAFETY: null or the calling thread's cache.
    if let Some(cache) = unsafe { cache::<D>().as_ref() } {
        // SAFETY: the cache is the calling thread's; the block is of this class.
        if unsafe { cache.push((class * BIN_BYTES) as u16, block) } {
            return count_free(cache);
        }
    }
    if D::CANARIES {
        // It has been looked at, before its canary.
        // SAFETY: the caller's promise.
        return unsafe { deallocate_checked::<D>(block, class) };
    }
    // SAFETY: the caller's promise.
    unsafe { deallocate_elsewhere::<D>(block, class) }
}

/// # Safety
/// - as [`deallocate`](super::verbs::deallocate).
#[inline(never)]
pub(super) unsafe fn deallocate_by_route<D: Declared>(block: *mut u8, layout: Layout) {
    // SAFETY: a block is never null.
    let start = unsafe { NonNull::new_unchecked(block) };
    match route::<D>(layout) {
        // SAFETY: the caller's promise; the layout says the block is of this class.
        Route::Class(class) => unsafe {
            if D::CANARIES {
                check_class::<D>(block, class, layout);
            }
            deallocate_in_class::<D>(start, class);
        },
        // SAFETY: the caller's promise; the layout says the block is large.
        Route::Large { slices, .. } => unsafe {
            misuse::check_large::<D>(block, Some(slices));
            canary::check::<D>(block, layout, None);
            deallocate_large::<D>(start)
        },
        Route::Huge { bytes } => {
            misuse::check_huge::<D>(block, bytes);
            D::shared().count_free(false);
            // SAFETY: the caller's promise; the layout says the block is huge.
            let freed = unsafe { huge::free(D::shared().account(), start, bytes) };
            if let Err(fault) = freed {
                report::<D>(fault, block.addr(), None);
            }
            upkeep::run_if_due();
        }
        Route::Impossible => {}
    }
}

/// # Safety
/// - `block` is a block of `class` that its user gave back and that the fast path did not take.
#[cold]
#[inline(never)]
pub(super) unsafe fn deallocate_elsewhere<D: Declared>(block: *mut u8, class: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        misuse::check_block::<D>(block, class);
        deallocate_checked::<D>(block, class);
    }
}

/// The same where blocks have canaries.
///
/// # Safety
/// - as [`deallocate_elsewhere`]; the block was served as `served`.
#[cold]
#[inline(never)]
pub(super) unsafe fn deallocate_with_end<D: Declared>(
    block: *mut u8,
    class: usize,
    served: Layout,
) {
    // SAFETY: the caller's promise.
    unsafe {
        check_class::<D>(block, class, served);
        deallocate_checked::<D>(block, class);
    }
}

/// # Safety
/// - `block` is a block of `class` that its user gave back, and has been looked at.
#[inline]
unsafe fn deallocate_checked<D: Declared>(block: *mut u8, class: usize) {
    // SAFETY: a block is never null.
    let start = unsafe { NonNull::new_unchecked(block) };
    if sample::is_sampled::<D>(block) {
        // SAFETY: the caller's promise.
        return unsafe { deallocate_sampled::<D>(start, class) };
    }
    // SAFETY: given back by its user, and of this class.
    unsafe { written::clear::<D>(block, class) };
    if D::QUARANTINE > 0 {
        // SAFETY: the caller's promise.
        let free = |cache, heap| unsafe { free::free_later(cache, heap, class, start) };
        // SAFETY: as above.
        return unsafe { deallocate_by::<D>(start, class, free) };
    }
    if let Some((cache, heap)) = current::<D>()
        // SAFETY: as above.
        && unsafe { free::free_at_once(cache, heap, class, start) }
    {
        return count_free(cache);
    }
    // SAFETY: as above.
    unsafe { deallocate_at_length::<D>(start, class) }
}

/// # Safety
/// - `block` is a block of `class` that its user gave back, has been looked at, and is cleared.
#[inline(never)]
unsafe fn deallocate_at_length<D: Declared>(block: NonNull<u8>, class: usize) {
    // SAFETY: the caller's promise.
    let free = |cache, heap| unsafe { free::free_elsewhere(cache, heap, class, block) };
    // SAFETY: as above.
    unsafe { deallocate_by::<D>(block, class, free) }
}

/// Frees a block by what its thread has, if it has a heap.
///
/// # Safety
/// - as [`deallocate_at_length`].
#[inline(always)]
unsafe fn deallocate_by<D: Declared>(
    block: NonNull<u8>,
    class: usize,
    free: impl FnOnce(&'static Cache<D>, &'static Heap<D>) -> Sent,
) {
    let Some((cache, heap)) = current::<D>() else {
        // SAFETY: the caller's promise.
        return unsafe { deallocate_without_heap::<D>(block, class) };
    };
    count_free(cache);
    if free(cache, heap) == Sent::Yes {
        upkeep::run_if_due();
    }
}

/// A thread that only frees needs no heap for it.
///
/// # Safety
/// - as [`deallocate_elsewhere`].
#[cold]
#[inline(never)]
unsafe fn deallocate_without_heap<D: Declared>(block: NonNull<u8>, class: usize) {
    D::shared().count_free(true);
    // SAFETY: the caller's promise.
    unsafe { free::free_without_heap::<D>(class, block) };
    upkeep::run_if_due();
}

/// # Safety
/// - as [`deallocate_elsewhere`], of a sampled block.
#[cold]
#[inline(never)]
unsafe fn deallocate_sampled<D: Declared>(block: NonNull<u8>, class: usize) {
    // SAFETY: the caller's promise.
    if let Err(fault) = unsafe { sample::free::<D>(block, class) } {
        report::<D>(fault, block.addr().get(), None);
    }
    match current::<D>() {
        Some((cache, _)) => count_free(cache),
        None => D::shared().count_free(true),
    }
}

/// # Safety
/// - `block` is a large block of type `D` that its user gave back.
pub(crate) unsafe fn deallocate_large<D: Declared>(block: NonNull<u8>) {
    D::shared().count_free(false);
    // SAFETY: the caller's promise.
    unsafe { large::free(D::shared().account(), block) };
    upkeep::run_if_due();
}

/// [`misuse::check_block`], out of line, and what is behind the block.
///
/// # Safety
/// - as there, and of [`canary::check`].
#[inline(never)]
pub(super) unsafe fn check_class<D: Declared>(block: *mut u8, class: usize, served: Layout) {
    // SAFETY: the caller's promise.
    unsafe {
        misuse::check_block::<D>(block, class);
        canary::check::<D>(block, served, Some(class));
    }
}

#[inline(always)]
pub(crate) fn count_free<D: Declared>(cache: &Cache<D>) {
    if D::COUNTS_BLOCKS
        && let Some(heap) = cache.heap()
    {
        heap.count_free();
    }
}
