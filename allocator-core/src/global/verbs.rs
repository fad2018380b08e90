//! The verbs of an allocator: allocate, deallocate, reallocate, and what goes
//! with them. The fast path is at the top; the rest stands where it leads.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use super::deallocate::{
    check_class, count_free, deallocate_by_route, deallocate_elsewhere, deallocate_with_end,
};
use super::thread;
use crate::config::choices::Derived;
use crate::config::size_class::BIN_BYTES;
use crate::heap::cache::Cache;
use crate::heap::declared::{Declared, cache, current};
use crate::heap::route::{Route, bin_offset, is_direct, route, usable_bytes};
use crate::heap::{canary, free, huge, large, misuse, pages, refill, sample, upkeep};
use crate::mem::chunk::Claimed;
use crate::mem::report::report;

#[inline(always)]
fn class_at(offset: u16) -> usize {
    offset as usize / BIN_BYTES
}

/// A block for `layout`; null when there is none. A size of 0 is served.
#[inline(always)]
pub fn allocate<D: Declared>(layout: Layout) -> *mut u8 {
    let served = canary::served::<D>(layout);
    // SAFETY: null, or just allocated as this.
    unsafe { canary::signed::<D>(serve::<D>(served), served) }
}

/// A block for a layout that has room for a canary.
#[inline(always)]
fn serve<D: Declared>(layout: Layout) -> *mut u8 {
    if !is_direct::<D>(layout) {
        return allocate_by_route::<D>(layout);
    }
    let offset = bin_offset::<D>(layout.size());
    let block = pop::<D>(offset);
    if block.is_null() {
        return allocate_in_class::<D>(class_at(offset));
    }
    block
}

/// A block of the bin at `offset`; null when it has none.
#[inline(always)]
pub(super) fn pop<D: Declared>(offset: u16) -> *mut u8 {
    // SAFETY: null or the calling thread's cache.
    let Some(cache) = (unsafe { cache::<D>().as_ref() }) else {
        return ptr::null_mut();
    };
    // SAFETY: the cache is the calling thread's.
    let block = unsafe { cache.bin_at(offset).pop::<D>(class_at(offset)) };
    if !block.is_null() {
        count_allocation(cache);
    }
    block.cast()
}

/// Frees a block.
///
/// # Safety
/// - `block` was allocated by type `D` with `layout` and is not used any more.
#[inline(always)]
pub unsafe fn deallocate<D: Declared>(block: *mut u8, layout: Layout) {
    let layout = canary::served::<D>(layout);
    misuse::debug_check::<D>(block, layout);
    if !is_direct::<D>(layout) {
        // SAFETY: the caller's promise.
        return unsafe { deallocate_by_route::<D>(block, layout) };
    }
    let offset = bin_offset::<D>(layout.size());
    // SAFETY: the caller's promise.
    if unsafe { push::<D>(offset, block, layout) } {
        return;
    }
    if D::CANARIES {
        // SAFETY: the caller's promise.
        return unsafe { deallocate_with_end::<D>(block, class_at(offset), layout) };
    }
    // SAFETY: the caller's promise.
    unsafe { deallocate_elsewhere::<D>(block, class_at(offset)) }
}

/// Frees a block into the bin at `offset`, or lets it wait, if that takes no more; whether it did.
///
/// # Safety
/// - as [`deallocate`], for a block that is served as `served`, of that bin's class.
#[inline(always)]
#[must_use]
pub(super) unsafe fn push<D: Declared>(offset: u16, block: *mut u8, served: Layout) -> bool {
    // SAFETY: null or the calling thread's cache.
    let Some(cache) = (unsafe { cache::<D>().as_ref() }) else {
        return false;
    };
    // SAFETY: the caller's promise; it is asked of a block that has been looked at.
    let is_end_sound = || unsafe { canary::is_sound::<D>(block, served) };
    // SAFETY: the cache is the calling thread's; the block is of this class.
    let is_taken = unsafe { cache.push_if(offset, block, is_end_sound) };
    if is_taken {
        count_free(cache);
    }
    is_taken
}

/// A zeroed block for `layout`; null when there is none.
#[inline(always)]
pub fn allocate_zeroed<D: Declared>(layout: Layout) -> *mut u8 {
    let served = canary::served::<D>(layout);
    let block = if is_direct::<D>(served) {
        let block = serve::<D>(served);
        // SAFETY: just allocated with at least this size.
        unsafe { clear_handed_out::<D>(block, layout.size()) };
        block
    } else {
        allocate_zeroed_by_route::<D>(served)
    };
    // SAFETY: null, or just allocated as this.
    unsafe { canary::signed::<D>(block, served) }
}

/// Clears the first `size` bytes of a block of a class that was just handed out, if there is one and it
/// is not known to be zero. One of no bytes at all may be any address.
///
/// # Safety
/// - `block` is null or has this size, and is the caller's.
#[inline(always)]
pub(crate) unsafe fn clear_handed_out<D: Declared>(block: *mut u8, size: usize) {
    if !block.is_null() && (!D::ZERO || sample::is_sampled::<D>(block)) {
        // SAFETY: the caller's promise.
        unsafe { block.write_bytes(0, size) };
    }
}

/// A block of `new_size` bytes with the content of `block`, which it replaces; null leaves
/// `block` as it was.
///
/// # Safety
/// - `block` was allocated by type `D` with `layout`;
/// - `new_size` rounded up to `layout.align()` does not exceed `isize::MAX`.
#[inline]
pub unsafe fn reallocate<D: Declared>(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    let before = canary::served::<D>(layout);
    misuse::debug_check::<D>(block, before);
    // SAFETY: the caller's promise.
    let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
    let after = canary::served::<D>(new_layout);
    if is_direct::<D>(before) && is_direct::<D>(after) {
        let offset = bin_offset::<D>(after.size());
        if bin_offset::<D>(before.size()) == offset {
            if D::PAGES || D::LINKS || D::CANARIES {
                // SAFETY: the caller's promise.
                unsafe { check_class::<D>(block, class_at(offset), before) };
            }
            // SAFETY: the block is the caller's, and of this class.
            return unsafe { canary::signed::<D>(block, after) };
        }
        if D::RECORDS {
            // The recorder does more afterwards, so that a call could not be the last thing done: inlined, a move
            // takes 43 instructions less, of 146.
            // SAFETY: the caller's promise.
            return unsafe { moved::<D>(block, layout, new_layout) };
        }
        // SAFETY: the caller's promise.
        return unsafe { move_to::<D>(block, layout, new_layout) };
    }
    // SAFETY: the caller's promise.
    unsafe { reallocate_by_route::<D>(block, layout, new_layout) }
}

/// Bytes that a block of `layout` really has for its user; 0 when no block can have that layout.
#[inline]
#[must_use]
pub fn usable_size<D: Declared>(layout: Layout) -> usize {
    let usable = usable_bytes::<D>(route::<D>(canary::served::<D>(layout)));
    canary::left_of::<D>(layout, usable)
}

/// Gives back to the OS, now, all memory of the process that is free, the calling thread's blocks
/// in hand of this type, and what of its pages with live blocks is free.
pub fn purge<D: Declared>() {
    give_back::<D>();
    upkeep::run_now();
}

/// Gives the calling thread's blocks in hand of this type back to their pages, and pages that are all
/// free to the arena.
pub(crate) fn give_back<D: Declared>() {
    if let Some((cache, heap)) = current::<D>() {
        free::flush_all(cache, heap);
        pages::make_holes(heap);
    }
}

/// Asserts the invariants of the calling thread's heap and of the type's abandoned pages; does
/// nothing without debug assertions.
pub fn check_invariants<D: Declared>() {
    if cfg!(debug_assertions) {
        if let Some((cache, heap)) = current::<D>() {
            pages::check(cache, heap);
        }
        D::shared().check();
    }
}

// Off the fast path.

#[cold]
#[inline(never)]
pub(crate) fn allocate_in_class<D: Declared>(class: usize) -> *mut u8 {
    // SAFETY: null or the calling thread's cache.
    if let Some(cache) = unsafe { cache::<D>().as_ref() } {
        cache.bin(class).settle();
    }
    // Before the heap's, while a process that was idle still looks idle.
    upkeep::run_if_due();
    let Some((cache, heap)) = current::<D>().or_else(thread::start::<D>) else {
        return allocate_without_heap::<D>(class);
    };
    match or_after_reclaim::<D, _>(|| NonNull::new(refill::refill(cache, heap, class))) {
        Some(block) => {
            count_allocation(cache);
            block.as_ptr().cast()
        }
        None => ptr::null_mut(),
    }
}

#[cold]
#[inline(never)]
fn allocate_without_heap<D: Declared>(class: usize) -> *mut u8 {
    let allocate = || NonNull::new(D::shared().allocate_without_heap(class));
    match or_after_reclaim::<D, _>(allocate) {
        Some(block) => {
            D::shared().count_allocation();
            block.as_ptr().cast()
        }
        None => ptr::null_mut(),
    }
}

/// For what the lookup table does not cover: large sizes, strict alignments.
#[inline(never)]
pub(crate) fn allocate_by_route<D: Declared>(layout: Layout) -> *mut u8 {
    match route::<D>(layout) {
        Route::Class(class) => {
            // SAFETY: null or the calling thread's cache.
            if let Some(cache) = unsafe { cache::<D>().as_ref() } {
                // SAFETY: the cache is the calling thread's.
                let block = unsafe { cache.bin(class).pop::<D>(class) };
                if !block.is_null() {
                    count_allocation(cache);
                    return block.cast();
                }
            }
            allocate_in_class::<D>(class)
        }
        Route::Large {
            slices,
            align,
            bytes,
        } => {
            let claimed = allocate_large::<D>(slices, align, bytes, false);
            counted_large::<D>(claimed.map(|claimed| claimed.start))
        }
        Route::Huge { bytes } => {
            upkeep::run_if_due();
            let account = D::shared().account();
            let start = or_after_reclaim::<D, _>(|| huge::allocate(account, bytes, layout.align()));
            counted_large::<D>(start)
        }
        Route::Impossible => ptr::null_mut(),
    }
}

fn allocate_large<D: Declared>(
    slices: usize,
    align: usize,
    bytes: usize,
    zeroed: bool,
) -> Option<Claimed> {
    thread::enrol::<D>();
    upkeep::run_if_due();
    let (account, owner) = (D::shared().account(), D::shared().large_owner());
    or_after_reclaim::<D, _>(|| large::allocate(account, owner, slices, align, bytes, zeroed))
}

/// What `allocate` gives. When it gives nothing, for want of memory or because of the limit: what
/// it gives once this thread has given up what it keeps for later, or else once that which others
/// freed has been brought home in every heap of the process.
pub(crate) fn or_after_reclaim<D: Declared, T>(allocate: impl Fn() -> Option<T>) -> Option<T> {
    allocate()
        .or_else(|| {
            let (cache, heap) = current::<D>()?;
            free::flush_all(cache, heap);
            allocate()
        })
        .or_else(|| {
            upkeep::reclaim();
            allocate()
        })
}

pub(crate) fn counted_large<D: Declared>(block: Option<NonNull<u8>>) -> *mut u8 {
    if block.is_some() {
        D::shared().count_allocation();
    }
    block.map_or(ptr::null_mut(), NonNull::as_ptr)
}

#[inline(never)]
pub(crate) fn allocate_zeroed_by_route<D: Declared>(layout: Layout) -> *mut u8 {
    match route::<D>(layout) {
        Route::Class(_) => {
            let block = allocate_by_route::<D>(layout);
            // SAFETY: just allocated with at least this size.
            unsafe { clear_handed_out::<D>(block, layout.size()) };
            block
        }
        Route::Large {
            slices,
            align,
            bytes,
        } => {
            let claimed = allocate_large::<D>(slices, align, bytes, true);
            if let Some(claimed) = &claimed {
                // What is known to be zero is not touched.
                if claimed.backed > 0 {
                    // SAFETY: just allocated with at least this size.
                    unsafe { claimed.start.write_bytes(0, layout.size()) };
                }
            }
            counted_large::<D>(claimed.map(|claimed| claimed.start))
        }
        // A mapping of its own comes zeroed.
        Route::Huge { .. } | Route::Impossible => allocate_by_route::<D>(layout),
    }
}

/// # Safety
/// - as [`reallocate`].
#[inline(never)]
unsafe fn reallocate_by_route<D: Declared>(block: *mut u8, old: Layout, new: Layout) -> *mut u8 {
    let (before, after) = (canary::served::<D>(old), canary::served::<D>(new));
    // SAFETY: a block is never null.
    let start = unsafe { NonNull::new_unchecked(block) };
    match route::<D>(before) {
        // SAFETY: the caller's promise.
        Route::Class(class) => unsafe { check_class::<D>(block, class, before) },
        // SAFETY: the caller's promise; what is behind the block is looked at last.
        Route::Large { slices, .. } => unsafe {
            misuse::check_large::<D>(block, Some(slices));
            canary::check::<D>(block, before, None);
        },
        Route::Huge { bytes } => misuse::check_huge::<D>(block, bytes),
        Route::Impossible => {}
    }
    // SAFETY: what stays where it is, is the caller's, and of the new layout then.
    let stays = || unsafe { canary::signed::<D>(block, after) };
    match (route::<D>(before), route::<D>(after)) {
        (Route::Class(before), Route::Class(after)) if before == after => stays(),
        (Route::Large { .. }, Route::Large { slices, bytes, .. })
            // SAFETY: the caller's promise; the layout says the block is large.
            if unsafe { large::resize_in_place(D::shared().account(), start, slices, bytes) } =>
        {
            stays()
        }
        (Route::Huge { bytes: before }, Route::Huge { bytes: after }) if before == after => block,
        (Route::Huge { bytes: before }, Route::Huge { bytes: after }) => {
            // SAFETY: the caller's promise; the layout says the block is huge.
            match unsafe { huge::resize(D::shared().account(), start, before, after, old.align()) } {
                Ok(Some(moved)) => moved.as_ptr(),
                // SAFETY: the caller's promise.
                Ok(None) => unsafe { move_to::<D>(block, old, new) },
                Err(fault) => report::<D>(fault, block.addr(), None),
            }
        }
        // SAFETY: the caller's promise.
        _ => unsafe { move_to::<D>(block, old, new) },
    }
}

/// [`moved`], out of line.
///
/// # Safety
/// - as [`reallocate`].
#[inline(never)]
unsafe fn move_to<D: Declared>(block: *mut u8, old: Layout, new: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { moved::<D>(block, old, new) }
}

/// The block of `new` that a block has moved to; null leaves it as it was.
///
/// # Safety
/// - as [`reallocate`].
#[inline(always)]
unsafe fn moved<D: Declared>(block: *mut u8, old: Layout, new: Layout) -> *mut u8 {
    let moved = allocate::<D>(new);
    if !moved.is_null() {
        // SAFETY: both blocks are at least this long, and the new one is nobody else's.
        unsafe { ptr::copy_nonoverlapping(block, moved, old.size().min(new.size())) };
        // SAFETY: the caller's promise; the content has moved.
        unsafe { deallocate::<D>(block, old) };
    }
    moved
}

#[inline(always)]
pub(crate) fn count_allocation<D: Declared>(cache: &Cache<D>) {
    if D::COUNTS_BLOCKS
        && let Some(heap) = cache.heap()
    {
        heap.count_allocation();
    }
}
