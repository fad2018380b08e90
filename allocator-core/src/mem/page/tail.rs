//! The guard at the end of a page or of a large block: the last OS pages of its last slice.
//!
//! It stays when the slices are given back: who claims them next finds it where it is wanted, as a rule,
//! and otherwise changes it. A guard that was taken away and put again cost a large block that is reused at
//! once 3.7 times as much.
//!
//! 1. `tail` in the header of a slice says how many OS pages at its end are a guard, and by what means.
//! 2. It is written by who has claimed the slice. In chunks of tenants without notes it is 0, but for stores of records.

use core::ptr::NonNull;

use super::Page;
use crate::mem::chunk::SLICE_BYTES;
use crate::os::OS_PAGE_BYTES;
use crate::os::guard::{self, Means};

/// Bits of `tail` that count OS pages; those above are the means.
const COUNT_BITS: u32 = u8::BITS - Means::BITS;

const _: () = assert!(
    SLICE_BYTES / OS_PAGE_BYTES < 1 << COUNT_BITS,
    "a guard may be all of a slice"
);

/// What `tail` says.
#[derive(Clone, Copy)]
struct Tail {
    os_pages: usize,
    means: Means,
}

impl Tail {
    const NONE: Self = Self {
        os_pages: 0,
        means: Means::NONE,
    };
}

impl Page {
    fn tail(&self) -> Tail {
        let bits = self.tail.get();
        Tail {
            os_pages: (bits & ((1 << COUNT_BITS) - 1)) as usize,
            means: Means::from_bits(bits >> COUNT_BITS),
        }
    }

    fn set_tail(&self, tail: Tail) {
        let bits = tail.os_pages as u8 | tail.means.to_bits() << COUNT_BITS;
        self.tail.set(bits);
    }
}

/// The slice with this index of a run, and its header.
///
/// # Safety
/// - the run from `start` on lies in a chunk, and is longer than `index` slices.
pub(crate) unsafe fn slice_at(start: NonNull<u8>, index: usize) -> (NonNull<u8>, &'static Page) {
    // SAFETY: within the run.
    let slice = unsafe { start.add(index * SLICE_BYTES) };
    // SAFETY: in a chunk.
    (slice, unsafe { Page::of_slice(slice.as_ptr()) })
}

/// Makes the last `os_pages` of `slices` just claimed a guard, if one can be had, and all that is before it
/// usable. False when the OS refuses the latter.
///
/// # Safety
/// - the `slices` from `start` on are claimed by the caller, and their content is dead.
pub(crate) unsafe fn guard_end(start: NonNull<u8>, slices: usize, os_pages: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { clear(start, slices - 1) && change(start, slices - 1, os_pages) }
}

/// Makes all of these slices usable, with one call of the OS for each means.
///
/// # Safety
/// - as [`guard_end`].
unsafe fn clear(start: NonNull<u8>, slices: usize) -> bool {
    let (mut means, mut counted, mut guarded) = (Means::NONE, 0, None);
    for index in 0..slices {
        // SAFETY: the caller's promise.
        let tail = unsafe { slice_at(start, index) }.1.tail();
        if tail.os_pages > 0 {
            means = means.with(tail.means);
            counted += guard::count(tail.means);
            guarded = Some((guarded.map_or(index, |(first, _)| first), index));
        }
    }
    let Some((first, last)) = guarded else {
        return true;
    };
    // SAFETY: as above.
    let from = unsafe { slice_at(start, first) }.0;
    let bytes = (last + 1 - first) * SLICE_BYTES;
    // SAFETY: the caller's promise.
    if !unsafe { guard::remove(from, bytes, means, counted) } {
        return false;
    }
    for index in first..=last {
        // SAFETY: as above.
        unsafe { slice_at(start, index) }.1.set_tail(Tail::NONE);
    }
    true
}

/// Changes the guard at the end of one slice of a run to `os_pages`. False when the OS refuses to make
/// usable what was in it; that more of a guard cannot be had is no failure.
///
/// # Safety
/// - the slice with this index of the run from `start` on is claimed by the caller; its last `os_pages`,
///   and those that are a guard now, hold nothing that is needed.
pub(crate) unsafe fn change(start: NonNull<u8>, index: usize, os_pages: usize) -> bool {
    // SAFETY: the caller's promise.
    let (slice, header) = unsafe { slice_at(start, index) };
    let before = header.tail();
    let longer = before.os_pages.max(os_pages);
    let from = SLICE_BYTES - longer * OS_PAGE_BYTES;
    let bytes = longer.abs_diff(before.os_pages.min(os_pages)) * OS_PAGE_BYTES;
    // SAFETY: within the slice.
    let changed = unsafe { slice.add(from) };
    if os_pages > before.os_pages {
        // SAFETY: the caller's promise.
        if let Some(means) = unsafe { guard::install(changed, bytes, before.means) } {
            header.set_tail(Tail { os_pages, means });
        }
    } else if os_pages < before.os_pages {
        let gone = os_pages == 0;
        let counted = if gone { guard::count(before.means) } else { 0 };
        // SAFETY: as above.
        if !unsafe { guard::remove(changed, bytes, before.means, counted) } {
            return false;
        }
        header.set_tail(match gone {
            true => Tail::NONE,
            false => Tail { os_pages, ..before },
        });
    }
    true
}

/// Bytes of a run before the guard at its end.
///
/// # Safety
/// - the `slices` from `start` on are claimed, with no guard among them but at the end.
pub(crate) unsafe fn usable_bytes(start: NonNull<u8>, slices: usize) -> usize {
    // SAFETY: the caller's promise.
    let tail = unsafe { slice_at(start, slices - 1) }.1.tail();
    slices * SLICE_BYTES - tail.os_pages * OS_PAGE_BYTES
}
