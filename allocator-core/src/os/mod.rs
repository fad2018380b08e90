//! The face of the OS: all that the allocator asks of it, but for waiting and a thread's own number, which `base`
//! needs below.
//!
//! No error is fatal here: what cannot be had is `None` or `false`, and the
//! layer above goes without. Memory comes readable, writable and zero; it is
//! backed when it is first touched.

#[cfg(feature = "fault-injection")]
pub mod fault;
pub(crate) mod file;
pub(crate) mod guard;
#[cfg(loom)]
pub(crate) mod modelled;
pub(crate) mod thread_word;
pub(crate) mod tracked;
#[cfg(not(loom))]
mod unix;

use core::ptr::NonNull;

use crate::base::sync;

#[cfg(loom)]
use modelled as unix;

pub(crate) use unix::{OS_PAGE_BYTES, abort, now_ms, register_fork_handlers};
pub(crate) use unix::{errno, find_next_symbol, find_symbol, set_errno};
pub(crate) use unix::{has_thread_ended, is_end_of_thread, register_thread_end, set_thread_ended};
pub(crate) use unix::{random_words, say, trap};
pub(crate) use unix::{set_thread_end_value, thread_end_value};

/// The calls that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `mmap`.
    Map,
    /// `munmap`.
    Unmap,
    /// `madvise(MADV_DONTNEED)`, or `process_madvise` for several ranges.
    Purge,
    /// `madvise` about huge pages.
    Advise,
    /// `mremap`.
    Remap,
    /// `madvise(MADV_GUARD_INSTALL)`.
    Guard,
    /// `madvise(MADV_GUARD_REMOVE)`.
    Unguard,
    /// `mprotect`.
    Protect,
    /// `mincore`.
    Residence,
    /// `membarrier`.
    Barrier,
    /// `pthread_key_create` and `pthread_setspecific`.
    ThreadEnd,
}

/// Whether a call may go ahead; always, unless a test injects faults.
#[inline]
fn permitted(call: Call) -> bool {
    if call != Call::ThreadEnd {
        sync::count_os_call(call == Call::Barrier);
    }
    #[cfg(feature = "fault-injection")]
    return fault::permitted(call);
    #[cfg(not(feature = "fault-injection"))]
    {
        let _ = call;
        true
    }
}

/// Takes `bytes` of zeroed memory at a multiple of `align`, preferably at `hint`.
///
/// `bytes` is a multiple of the OS page, `align` a power of two.
pub(crate) fn reserve(bytes: usize, align: usize, hint: usize) -> Option<NonNull<u8>> {
    reserve_behind(0, bytes, align, hint)
}

/// [`reserve`], with `lead` bytes before what it returns; whole OS pages, too.
pub(crate) fn reserve_behind(
    lead: usize,
    bytes: usize,
    align: usize,
    hint: usize,
) -> Option<NonNull<u8>> {
    let all = bytes.checked_add(lead)?;
    let first = map(all, hint.saturating_sub(lead))?;
    if (first.addr().get() + lead) & (align - 1) == 0 {
        // SAFETY: the lead is part of the mapping.
        return Some(unsafe { first.add(lead) });
    }
    // SAFETY: the mapping was just made and nobody else knows of it.
    unsafe { release(first, all) };
    let padded = all.checked_add(align - OS_PAGE_BYTES)?;
    let start = map(padded, 0)?;
    let led = start.addr().get() + lead;
    let before = led.next_multiple_of(align) - led;
    // SAFETY: `before < align`, so `before + all <= padded`: all three parts are in the mapping.
    unsafe {
        let aligned = start.add(before + lead);
        if before > 0 {
            release(start, before);
        }
        if padded > before + all {
            release(aligned.add(bytes), padded - before - all);
        }
        Some(aligned)
    }
}

fn map(bytes: usize, hint: usize) -> Option<NonNull<u8>> {
    if permitted(Call::Map) {
        unix::map(bytes, hint)
    } else {
        None
    }
}

/// Takes addresses that read as zero, whole OS pages, with no memory behind them: what is to be written to is
/// made so by [`make_writable`].
pub(crate) fn reserve_readable(bytes: usize) -> Option<NonNull<u8>> {
    if permitted(Call::Map) {
        unix::map_readable(bytes)
    } else {
        None
    }
}

/// Lets addresses be written to; false when the OS refuses.
///
/// # Safety
/// - whole OS pages of [`reserve_readable`].
pub(crate) unsafe fn make_writable(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller's promise; who only reads sees no difference.
    permitted(Call::Protect) && unsafe { unix::protect(start, bytes, true) }
}

/// Gives addresses and memory back. When the OS refuses, they stay mapped and are lost.
///
/// # Safety
/// - `[start, start + bytes)` is mapped by [`reserve`], [`reserve_readable`] or [`remap`], and nobody uses it any more.
pub(crate) unsafe fn release(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller's promise.
    permitted(Call::Unmap) && unsafe { unix::unmap(start, bytes) }
}

/// Gives the memory behind addresses back; they read as zero afterwards. False when the OS
/// refuses: then the content is as it was.
///
/// # Safety
/// - the range is mapped by [`reserve`], starts and ends at OS pages, and its content is dead.
pub(crate) unsafe fn purge(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller's promise.
    permitted(Call::Purge) && unsafe { unix::purge(start, bytes) }
}

/// Addresses from `start` on, whole OS pages. As the kernel reads it: `struct iovec`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start: NonNull<u8>,
    pub(crate) bytes: usize,
}

/// [`purge`] of several ranges, with one call where the OS has one for that. `done` is told of each
/// whether it was given back.
///
/// # Safety
/// - as [`purge`], for each range.
pub(crate) unsafe fn purge_ranges(ranges: &[Range], mut done: impl FnMut(Range, bool)) {
    let mut purged_bytes = if ranges.len() > 1 && permitted(Call::Purge) {
        // SAFETY: the caller's promise.
        unsafe { unix::purge_ranges(ranges) }
    } else {
        0
    };
    for &range in ranges {
        // In order; what the one call did not come to, or does not exist for, is asked for alone.
        let purged = if purged_bytes >= range.bytes {
            purged_bytes -= range.bytes;
            true
        } else {
            purged_bytes = 0;
            // SAFETY: the caller's promise.
            unsafe { purge(range.start, range.bytes) }
        };
        done(range, purged);
    }
}

/// OS pages that are asked about at a time; a byte each on the stack.
const ASKED_AT_A_TIME: usize = 512;

/// Tells `each` of the runs of OS pages that the range is made of, in order, and whether they are backed by memory now.
/// What the OS does not say counts as backed.
///
/// # Safety
/// - the range is mapped by [`reserve`], and starts and ends at OS pages.
pub(crate) unsafe fn by_residence(
    start: NonNull<u8>,
    bytes: usize,
    mut each: impl FnMut(Range, bool),
) {
    let mut run = Range { start, bytes: 0 };
    let mut is_run_resident = true;
    for asked in (0..bytes).step_by(ASKED_AT_A_TIME * OS_PAGE_BYTES) {
        let os_pages = ((bytes - asked) / OS_PAGE_BYTES).min(ASKED_AT_A_TIME);
        let mut resident = [true; ASKED_AT_A_TIME];
        if permitted(Call::Residence) {
            // SAFETY: within the range.
            unsafe { unix::residence(start.add(asked), os_pages, &mut resident) };
        }
        for &is_resident in resident.iter().take(os_pages) {
            if is_resident != is_run_resident {
                if run.bytes > 0 {
                    each(run, is_run_resident);
                }
                // SAFETY: within the range.
                run.start = unsafe { run.start.add(run.bytes) };
                run.bytes = 0;
                is_run_resident = is_resident;
            }
            run.bytes += OS_PAGE_BYTES;
        }
    }
    if run.bytes > 0 {
        each(run, is_run_resident);
    }
}

/// Asks for (`true`) or against huge pages.
///
/// # Safety
/// - the range is mapped by [`reserve`].
pub(crate) unsafe fn advise_huge(start: NonNull<u8>, bytes: usize, wanted: bool) -> bool {
    // SAFETY: the caller's promise; the advice does not change content.
    permitted(Call::Advise) && unsafe { unix::advise_huge(start, bytes, wanted) }
}

/// Resizes a mapping, moving it if `may_move`; what is new reads as zero.
/// `None` leaves it as it was.
///
/// # Safety
/// - `[start, start + old_bytes)` is one mapping of [`reserve`] or [`remap`], the caller's own.
pub(crate) unsafe fn remap(
    start: NonNull<u8>,
    old_bytes: usize,
    new_bytes: usize,
    may_move: bool,
) -> Option<NonNull<u8>> {
    if !permitted(Call::Remap) {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { unix::remap(start, old_bytes, new_bytes, may_move) }
}

/// Moves a mapping to `to`, resizing it; what is new reads as zero. False leaves it as it was, and `to` is nobody's any more.
///
/// Some kernels unmap `to` before they refuse, others leave it there, so that nobody may give it back once they have
/// been asked. So it is looked first whether they would: whether the mapping has become several, by what its user
/// advised or protected of it.
///
/// # Safety
/// - `[start, start + old_bytes)` is one mapping of [`reserve`] or [`remap`], the caller's own;
/// - so is `[to, to + new_bytes)`, which is not in use.
pub(crate) unsafe fn remap_to(
    start: NonNull<u8>,
    old_bytes: usize,
    to: NonNull<u8>,
    new_bytes: usize,
) -> bool {
    // SAFETY: the caller's promise.
    if !permitted(Call::Remap) || !unsafe { unix::is_one_mapping(start, old_bytes) } {
        // SAFETY: as above.
        unsafe { release(to, new_bytes) };
        return false;
    }
    // SAFETY: as above.
    unsafe { unix::remap_to(start, old_bytes, to, new_bytes) }
}

/// A full memory barrier on every running thread of the process; false where there is none.
pub(crate) fn barrier_everywhere() -> bool {
    permitted(Call::Barrier) && unix::barrier_everywhere()
}
