//! The verbs of a type whose requests are recorded (`stats = histogram`): those of `verbs`, each counted
//! by the layout that was asked for. Of any other type nothing is left of it.
//!
//! A block that is resized counts as freed and allocated, whether it moves or not.

use core::alloc::Layout;

use super::{thread, verbs};
use crate::config::choices::Derived;
use crate::config::size_class::MALLOC_ALIGN;
use crate::heap::declared::{Declared, cache, current};
use crate::heap::route::{bin_offset, is_direct};
use crate::heap::{canary, misuse};
use crate::mem::tally::{Request, Tally};
use crate::mem::tape::{TracedAct, TracedStep};
use crate::os;

/// `verbs::allocate`, recorded.
#[inline(always)]
pub fn allocate<D: Declared>(layout: Layout) -> *mut u8 {
    if !D::RECORDS {
        return verbs::allocate::<D>(layout);
    }
    let served = canary::served::<D>(layout);
    // What is in hand is counted without a call, and all that is not takes one and the same, so that nothing
    // has to be kept for afterwards and the caller has little of it.
    if is_direct::<D>(served)
        && let Some(tally) = tally::<D>()
        && let Some(room) = tally.room_after_allocation(layout.size())
    {
        let block = verbs::pop::<D>(bin_offset::<D>(served.size()));
        if !block.is_null() {
            tally.count_allocation(Request::of(layout).place, room);
            // SAFETY: just allocated as this.
            return unsafe { canary::signed::<D>(block, served) };
        }
    }
    allocate_elsewhere::<D>(layout)
}

#[inline(never)]
fn allocate_elsewhere<D: Declared>(layout: Layout) -> *mut u8 {
    note_if_any::<D>(verbs::allocate::<D>(layout), layout)
}

/// `verbs::allocate_zeroed`, recorded.
#[inline(always)]
pub fn allocate_zeroed<D: Declared>(layout: Layout) -> *mut u8 {
    note_if_any::<D>(verbs::allocate_zeroed::<D>(layout), layout)
}

/// `verbs::deallocate`, recorded.
///
/// # Safety
/// - as there.
#[inline(always)]
pub unsafe fn deallocate<D: Declared>(block: *mut u8, layout: Layout) {
    if !D::RECORDS {
        // SAFETY: the caller's promise.
        return unsafe { verbs::deallocate::<D>(block, layout) };
    }
    let served = canary::served::<D>(layout);
    misuse::debug_check::<D>(block, served);
    if is_direct::<D>(served)
        && let Some(tally) = tally::<D>()
        && let Some(room) = tally.room_after_free(layout.size())
        // SAFETY: the caller's promise.
        && unsafe { verbs::push::<D>(bin_offset::<D>(served.size()), block, served) }
    {
        return tally.count_free(Request::of(layout).place, room);
    }
    // SAFETY: the caller's promise.
    unsafe { deallocate_elsewhere::<D>(block, layout) }
}

/// # Safety
/// - as [`deallocate`].
#[inline(never)]
unsafe fn deallocate_elsewhere<D: Declared>(block: *mut u8, layout: Layout) {
    let request = Request::of(layout);
    if !count_free::<D>(request) {
        note_free::<D>(block, request);
    }
    // SAFETY: the caller's promise.
    unsafe { verbs::deallocate::<D>(block, layout) }
}

/// `verbs::reallocate`, recorded.
///
/// # Safety
/// - as there.
#[inline]
pub unsafe fn reallocate<D: Declared>(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let resized = unsafe { verbs::reallocate::<D>(block, layout, new_size) };
    if D::RECORDS && !resized.is_null() {
        let align = layout.align();
        let (before, after) = (Request::of(layout), Request::new(new_size, align));
        // Where every step is written down, there is never room.
        if !tally::<D>().is_some_and(|tally| tally.resized(before, after)) {
            note_resize::<D>(Some(before), after);
            trace_resize::<D>(block, resized, align, new_size);
        }
    }
    resized
}

/// Notes a block that was allocated, if it was, and returns it.
#[inline(always)]
fn note_if_any<D: Declared>(block: *mut u8, layout: Layout) -> *mut u8 {
    if !D::RECORDS || block.is_null() {
        return block;
    }
    let request = Request::of(layout);
    if count_allocation::<D>(request) {
        return block;
    }
    note_allocation::<D>(block, request, layout.align(), layout.size())
}

/// Counts an allocation, if that takes no more than counting; whether it did.
#[inline(always)]
#[must_use]
pub(crate) fn count_allocation<D: Declared>(request: Request) -> bool {
    tally::<D>().is_some_and(|tally| tally.allocated(request))
}

/// Counts a free, if that takes no more than counting; whether it did.
#[inline(always)]
#[must_use]
pub(crate) fn count_free<D: Declared>(request: Request) -> bool {
    tally::<D>().is_some_and(|tally| tally.freed(request))
}

/// Counts a block for `size` bytes at `align`, and does whatever else there is to do of it; the block.
#[cold]
#[inline(never)]
pub(crate) fn note_allocation<D: Declared>(
    block: *mut u8,
    request: Request,
    align: usize,
    size: usize,
) -> *mut u8 {
    let error = os::errno();
    if !count_allocation::<D>(request) {
        count_allocation_at_last::<D>(request);
    }
    if let Some(tape) = D::shared().ledger().tape() {
        tape.add([step::<D>(TracedAct::Allocate, block, align, size)]);
    }
    os::set_errno(error);
    block
}

/// Counts a free, and does whatever else there is to do before the block is freed.
pub(crate) fn note_free<D: Declared>(block: *mut u8, request: Request) {
    let error = os::errno();
    if !count_free::<D>(request) {
        count_free_at_first::<D>(request);
    }
    if let Some(tape) = D::shared().ledger().tape() {
        tape.add([step::<D>(TracedAct::Free, block, 1, 0)]);
    }
    os::set_errno(error);
}

/// Counts a block as freed, if it is known what it was, and allocated; after it was resized.
#[cold]
#[inline(never)]
pub(crate) fn note_resize<D: Declared>(before: Option<Request>, after: Request) {
    let error = os::errno();
    if let Some(before) = before
        && !count_free::<D>(before)
    {
        count_free_at_first::<D>(before);
    }
    if !count_allocation::<D>(after) {
        count_allocation_at_last::<D>(after);
    }
    os::set_errno(error);
}

/// Writes a resize down, if every step is.
#[cold]
#[inline(never)]
pub(crate) fn trace_resize<D: Declared>(from: *mut u8, to: *mut u8, align: usize, bytes: usize) {
    if let Some(tape) = D::shared().ledger().tape() {
        let error = os::errno();
        let from = step::<D>(TracedAct::ResizeFrom, from, 1, 0);
        tape.add([from, step::<D>(TracedAct::ResizeTo, to, align, bytes)]);
        os::set_errno(error);
    }
}

fn step<D: Declared>(act: TracedAct, block: *mut u8, align: usize, bytes: usize) -> TracedStep {
    TracedStep {
        act,
        address: block.addr() as u64,
        size: bytes as u64,
        align_log: (align | 1).ilog2() as u8,
        thread: tally::<D>().map_or(0, Tally::number) as u16,
    }
}

// Here and not with C's face, because the record has to know which class a request of C's came from.

/// Bytes of the word behind a block of C's face, which says what was asked for.
pub(crate) const WORD_BYTES: usize = size_of::<u64>();

/// Bytes that a block of C's face has to have for its word, besides those that are asked for.
pub(crate) const fn room_for_word<D: Declared>(align: usize) -> usize {
    if D::CANARIES || align > 8 {
        WORD_BYTES
    } else {
        0
    }
}

/// The layout of the block that C gets for a request.
pub(crate) fn laid_out_for_c<D: Declared>(request: Layout) -> Option<Layout> {
    let room = room_for_word::<D>(request.align());
    let bytes = request.size().checked_add(room)?;
    Layout::from_size_align(bytes, request.align().max(MALLOC_ALIGN)).ok()
}

/// The calling thread's tally, if it has one in hand.
#[inline(always)]
fn tally<D: Declared>() -> Option<&'static Tally> {
    // SAFETY: null or the calling thread's cache.
    unsafe { cache::<D>().as_ref() }?.tally()
}

/// The tally of the calling thread's heap, taken if it had none; `None` without a heap, or when there is
/// none.
fn take_tally<D: Declared>() -> Option<&'static Tally> {
    // So that a child hears of it.
    thread::enrol::<D>();
    let (cache, heap) = current::<D>()?;
    if heap.tally().is_none() {
        heap.set_tally(D::shared().ledger().take());
    }
    cache.set_tally(heap.tally());
    cache.tally()
}

#[cold]
#[inline(never)]
fn count_allocation_at_last<D: Declared>(request: Request) {
    let ledger = D::shared().ledger();
    if let Some(tally) = tally::<D>().or_else(take_tally::<D>) {
        tally.allocated_at_last(request);
        ledger.settle(tally, 0);
    } else if let Some((tally, clock)) = ledger.common() {
        tally.allocated_shared(request.place, clock);
        ledger.tell_shared(1, request.bytes as u64);
    }
}

#[cold]
#[inline(never)]
fn count_free_at_first<D: Declared>(request: Request) {
    let ledger = D::shared().ledger();
    if let Some(tally) = tally::<D>().or_else(take_tally::<D>) {
        ledger.settle(tally, request.bytes);
        tally.freed_at_first(request);
        if ledger.tape().is_some() {
            // There is no room again, so that the next step is written down, too.
            ledger.settle(tally, 0);
        }
    } else if let Some((tally, clock)) = ledger.common() {
        ledger.tell_shared(0, (request.bytes as u64).wrapping_neg());
        tally.freed_shared(request.place, clock);
    }
}
