//! The verbs of a type whose requests are recorded (`stats = histogram`): those of `verbs`, each counted
//! by the layout that was asked for. Of any other type nothing is left of it.
//!
//! A block that is resized counts as freed and allocated, whether it moves or not.

use core::alloc::Layout;

use super::{thread, verbs};
use crate::config::choices::Derived;
use crate::config::size_class::MALLOC_ALIGN;
use crate::heap::declared::{Declared, cache, current};
use crate::mem::places::place;
use crate::mem::tally::Tally;
use crate::mem::tape::{Tape, TracedAct, TracedStep};
use crate::os;

/// `verbs::allocate`, recorded.
#[inline(always)]
pub fn allocate<D: Declared>(layout: Layout) -> *mut u8 {
    let block = verbs::allocate::<D>(layout);
    if D::RECORDS && !block.is_null() {
        note_layout::<D>(block, layout);
    }
    block
}

/// `verbs::allocate_zeroed`, recorded.
#[inline(always)]
pub fn allocate_zeroed<D: Declared>(layout: Layout) -> *mut u8 {
    let block = verbs::allocate_zeroed::<D>(layout);
    if D::RECORDS && !block.is_null() {
        note_layout::<D>(block, layout);
    }
    block
}

/// `verbs::deallocate`, recorded.
///
/// # Safety
/// - as there.
#[inline(always)]
pub unsafe fn deallocate<D: Declared>(block: *mut u8, layout: Layout) {
    if D::RECORDS {
        note_free::<D>(place(layout.size(), layout.align()), layout.size());
        trace_free::<D>(block);
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
        note_free::<D>(place(layout.size(), layout.align()), layout.size());
        note_allocation::<D>(place(new_size, layout.align()), new_size);
        trace_resize::<D>(block, resized, layout.align(), new_size);
    }
    resized
}

#[inline(always)]
fn note_layout<D: Declared>(block: *mut u8, layout: Layout) {
    note_allocation::<D>(place(layout.size(), layout.align()), layout.size());
    trace_allocation::<D>(block, layout.align(), layout.size());
}

/// Writes an allocation down, if every step is; after it was counted.
#[inline(always)]
pub(crate) fn trace_allocation<D: Declared>(block: *mut u8, align: usize, bytes: usize) {
    if let Some(tape) = D::shared().ledger().tape() {
        write_down::<D>(tape, TracedAct::Allocate, block, align, bytes);
    }
}

/// Writes a free down, if every step is; before the block is freed.
#[inline(always)]
pub(crate) fn trace_free<D: Declared>(block: *mut u8) {
    if let Some(tape) = D::shared().ledger().tape() {
        write_down::<D>(tape, TracedAct::Free, block, 1, 0);
    }
}

/// Writes a resize down, if every step is.
#[inline(always)]
pub(crate) fn trace_resize<D: Declared>(from: *mut u8, to: *mut u8, align: usize, bytes: usize) {
    if let Some(tape) = D::shared().ledger().tape() {
        let from = step::<D>(TracedAct::ResizeFrom, from, 1, 0);
        tape.add([from, step::<D>(TracedAct::ResizeTo, to, align, bytes)]);
    }
}

#[cold]
#[inline(never)]
fn write_down<D: Declared>(
    tape: &Tape,
    act: TracedAct,
    block: *mut u8,
    align: usize,
    bytes: usize,
) {
    tape.add([step::<D>(act, block, align, bytes)]);
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

/// Bytes behind each block of C's face that say what was asked for.
pub(crate) const WORD_BYTES: usize = size_of::<u16>();

/// The layout of the block that C gets for a request.
pub(crate) fn laid_out_for_c(request: Layout) -> Option<Layout> {
    let bytes = request.size().checked_add(WORD_BYTES)?;
    Layout::from_size_align(bytes, request.align().max(MALLOC_ALIGN)).ok()
}

/// Counts an allocation of `bytes` at a place.
#[inline(always)]
pub(crate) fn note_allocation<D: Declared>(place: usize, bytes: usize) {
    match tally::<D>() {
        Some(tally) if !tally.allocated(place, bytes) => {}
        Some(tally) => D::shared().ledger().settle(tally, 0),
        None => note_allocation_elsewhere::<D>(place, bytes),
    }
}

/// Counts a free of `bytes` at a place; before the block is freed.
#[inline(always)]
pub(crate) fn note_free<D: Declared>(place: usize, bytes: usize) {
    match tally::<D>() {
        Some(tally) => {
            if tally.falls_far(bytes) {
                D::shared().ledger().settle(tally, bytes);
            }
            tally.freed(place, bytes);
        }
        None => note_free_elsewhere::<D>(place, bytes),
    }
}

/// The calling thread's tally, if it has one.
#[inline(always)]
fn tally<D: Declared>() -> Option<&'static Tally> {
    // SAFETY: null or the calling thread's cache.
    unsafe { cache::<D>().as_ref() }?.heap()?.tally()
}

/// The tally of the calling thread's heap, which had none; `None` without a heap, or when there is none.
fn take_tally<D: Declared>() -> Option<&'static Tally> {
    // So that a child hears of it.
    thread::enrol::<D>();
    let (_, heap) = current::<D>()?;
    heap.set_tally(D::shared().ledger().take());
    heap.tally()
}

#[cold]
#[inline(never)]
fn note_allocation_elsewhere<D: Declared>(place: usize, bytes: usize) {
    let ledger = D::shared().ledger();
    let error = os::errno();
    if let Some(tally) = take_tally::<D>() {
        if tally.allocated(place, bytes) {
            ledger.settle(tally, 0);
        }
    } else if let Some((tally, clock)) = ledger.common() {
        tally.allocated_shared(place, clock);
        ledger.tell_shared(1, bytes as u64);
    }
    os::set_errno(error);
}

#[cold]
#[inline(never)]
fn note_free_elsewhere<D: Declared>(place: usize, bytes: usize) {
    let ledger = D::shared().ledger();
    let error = os::errno();
    if let Some(tally) = take_tally::<D>() {
        ledger.settle(tally, bytes);
        tally.freed(place, bytes);
    } else if let Some((tally, clock)) = ledger.common() {
        ledger.tell_shared(0, (bytes as u64).wrapping_neg());
        tally.freed_shared(place, clock);
    }
    os::set_errno(error);
}
