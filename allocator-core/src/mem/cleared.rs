//! Large blocks that are cleared when their user gives them back, and looked at when what they were of is claimed
//! again, be it for pages of blocks: all of them with `hardening(zero)`, their first two words with `links`, as of blocks
//! of classes.
//!
//! With `zero` only the OS pages that are there are cleared and looked at, because a large block may be used here and
//! there; those that are not are given back, in case they have been swapped out.
//!
//! 1. A slice whose header says [`State::Cleared`] or [`State::ClearedAtStart`] is free, or just claimed, and was cleared
//!    so far, but for the guard at its end.
//! 2. Such slices lie in chunks of tenants with notes (`tenant`), where who claims slices takes the marks off.

use core::ptr::NonNull;

use super::page::{Page, State, tail};
use super::report::report;
use super::written;
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};
use crate::os::{self, Range};

/// Bytes that `links` clears: what a free block of a class has of link and note.
const START_BYTES: usize = 2 * size_of::<usize>();

/// Each of a run of slices: where it starts, and its header.
///
/// # Safety
/// - the `slices` from `start` on lie in a chunk.
unsafe fn each(
    start: NonNull<u8>,
    slices: usize,
) -> impl Iterator<Item = (NonNull<u8>, &'static Page)> {
    // SAFETY: the caller's promise.
    (0..slices).map(move |index| unsafe { tail::slice_at(start, index) })
}

/// Clears slices and marks them, if the type does so.
///
/// # Safety
/// - the `slices` from `start` on are claimed, in chunks of type `C`; there is no guard among them but at the end, and
///   nobody uses what they hold.
pub(crate) unsafe fn clear<C: Choices>(start: NonNull<u8>, slices: usize) {
    // AddressSanitizer, where it is told of free blocks, finds more than the first words do.
    let is_begun = C::LINKS && !C::TELLS;
    if !C::ZERO && !is_begun {
        return;
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { tail::usable_bytes(start, slices) };
    if bytes == 0 {
        return;
    }
    let (marked, mark) = if C::ZERO {
        // SAFETY: as above.
        unsafe { clear_resident(start, bytes) };
        (slices, State::Cleared)
    } else {
        // SAFETY: as above.
        unsafe { start.write_bytes(0, START_BYTES) };
        (1, State::ClearedAtStart)
    };
    // SAFETY: as above.
    for (_, header) in unsafe { each(start, marked) } {
        header.set_state(mark);
    }
}

/// Runs of OS pages that are given back with one call.
const RUNS: usize = 64;

/// Clears what is backed by memory, and gives the rest back.
///
/// # Safety
/// - the bytes from `start` on are whole OS pages of claimed slices, and nobody uses what they hold.
unsafe fn clear_resident(start: NonNull<u8>, bytes: usize) {
    let mut absent = [Range { start, bytes: 0 }; RUNS];
    let mut count = 0;
    let give_back = |absent: &[Range]| {
        let clear = |run: Range, purged: bool| {
            if !purged {
                // SAFETY: the caller's promise.
                unsafe { run.start.write_bytes(0, run.bytes) };
            }
        };
        // SAFETY: as above.
        unsafe { os::purge_ranges(absent, clear) };
    };
    // SAFETY: as above.
    unsafe {
        os::by_residence(start, bytes, |run, is_resident| {
            if is_resident {
                run.start.write_bytes(0, run.bytes);
            } else if let Some(place) = absent.get_mut(count) {
                *place = run;
                count += 1;
            }
            if count == RUNS {
                give_back(&absent);
                count = 0;
            }
        });
    }
    give_back(absent.get(..count).unwrap_or_default());
}

/// Takes the marks off slices just claimed, of a type with notes. Where the type clears, ends the process if what was
/// cleared has been written to.
///
/// # Safety
/// - the `slices` from `start` on are claimed by the caller, who has not used them, in chunks of type `C`.
pub(crate) unsafe fn take<C: Choices>(start: NonNull<u8>, slices: usize) {
    // SAFETY: the caller's promise.
    for (slice, header) in unsafe { each(start, slices) } {
        let state = header.state();
        if state.is_page() || state == State::Unused {
            continue;
        }
        header.set_state(State::Unused);
        // SAFETY: as above.
        let bytes = unsafe { tail::usable_bytes(slice, 1) };
        // SAFETY: as above; marked.
        unsafe {
            if C::ZERO && state == State::Cleared {
                look_at_resident::<C>(slice, bytes);
            } else if C::ZERO || C::LINKS {
                look_at::<C>(slice, bytes.min(START_BYTES));
            }
        }
    }
}

/// Takes the marks off slices just claimed by who does not look.
///
/// # Safety
/// - as [`take`].
pub(crate) unsafe fn forget(start: NonNull<u8>, slices: usize) {
    // SAFETY: the caller's promise.
    for (_, header) in unsafe { each(start, slices) } {
        if !header.state().is_page() {
            header.set_state(State::Unused);
        }
    }
}

/// # Safety
/// - as [`look_at`], of whole OS pages.
unsafe fn look_at_resident<C: Choices>(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        os::by_residence(start, bytes, |run, is_resident| {
            if is_resident {
                look_at::<C>(run.start, run.bytes);
            }
        });
    }
}

/// Ends the process unless these bytes are as they were cleared.
///
/// # Safety
/// - the bytes from `start` on are of a slice that the caller has claimed and that was not used since they were cleared.
unsafe fn look_at<C: Choices>(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    if let Some(address) = unsafe { written::first_written(start, bytes) } {
        report::<C>(Fault::FreeBlockWritten, address, None);
    }
}
