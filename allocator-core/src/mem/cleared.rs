//! Large blocks that are cleared when their user gives them back, with `hardening(zero)`, and looked at when
//! what they were of is claimed again, be it for pages of blocks.
//!
//! Only the OS pages that are there are cleared and looked at, because a large block may be used here and
//! there; those that are not are given back, in case they have been swapped out.
//!
//! 1. A slice whose header says [`State::Cleared`] is free, or just claimed, and was cleared but for the guard at
//!    its end.
//! 2. Such slices lie in chunks of tenants with notes (`tenant`), where who claims slices takes the marks off.

use core::ptr::NonNull;

use super::chunk::SLICE_BYTES;
use super::page::{Page, State, tail};
use super::report::report;
use super::written;
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};
use crate::os;

/// Each of a run of slices: where it starts, and its header.
///
/// # Safety
/// - the `slices` from `start` on lie in a chunk.
unsafe fn each(
    start: NonNull<u8>,
    slices: usize,
) -> impl Iterator<Item = (NonNull<u8>, &'static Page)> {
    (0..slices).map(move |index| {
        // SAFETY: within the run.
        let slice = unsafe { start.add(index * SLICE_BYTES) };
        // SAFETY: in a chunk.
        (slice, unsafe { Page::of_slice(slice.as_ptr()) })
    })
}

/// Clears slices and marks them, if the type does so.
///
/// # Safety
/// - the `slices` from `start` on are claimed, in chunks of type `C`; there is no guard among them but at the end, and
///   nobody uses what they hold.
pub(crate) unsafe fn clear<C: Choices>(start: NonNull<u8>, slices: usize) {
    if !C::ZERO {
        return;
    }
    // SAFETY: the caller's promise.
    let guard_bytes = unsafe { tail::guard_bytes(start, slices) };
    let bytes = slices * SLICE_BYTES - guard_bytes;
    // SAFETY: as above.
    unsafe {
        os::by_residence(start, bytes, |run, is_resident| {
            if is_resident || !os::purge(run.start, run.bytes) {
                run.start.write_bytes(0, run.bytes);
            }
        });
    }
    // SAFETY: as above.
    for (_, header) in unsafe { each(start, slices) } {
        header.set_state(State::Cleared);
    }
}

/// Takes the marks off slices just claimed, of a type with notes. Where the type clears, ends the process if what was cleared has been
/// written to.
///
/// # Safety
/// - the `slices` from `start` on are claimed by the caller, who has not used them, in chunks of type `C`.
pub(crate) unsafe fn take<C: Choices>(start: NonNull<u8>, slices: usize) {
    // SAFETY: the caller's promise.
    for (slice, header) in unsafe { each(start, slices) } {
        if header.state() != State::Cleared {
            continue;
        }
        header.set_state(State::Unused);
        if C::ZERO {
            // SAFETY: as above; marked.
            unsafe { look_at::<C>(slice) };
        }
    }
}

/// Ends the process unless a slice is as it was cleared.
///
/// # Safety
/// - the slice is claimed by the caller, and not used since it was cleared.
unsafe fn look_at<C: Choices>(slice: NonNull<u8>) {
    // SAFETY: the caller's promise.
    let bytes = SLICE_BYTES - unsafe { tail::guard_bytes(slice, 1) };
    // SAFETY: as above; what is there has been cleared, hence is initialised.
    unsafe {
        os::by_residence(slice, bytes, |run, is_resident| {
            if is_resident && let Some(address) = written::first_written(run.start, run.bytes) {
                report::<C>(Fault::FreeBlockWritten, address, None);
            }
        });
    }
}
