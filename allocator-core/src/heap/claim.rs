//! What a type takes of the arena, and gives back: slices, charged to its account, guarded and entered where its
//! options say so; pages are made of them.

use core::ptr::NonNull;

use super::account::Account;
use crate::config::choices::{Choices, Derived};
use crate::config::geometry::GUARD_BYTES;
use crate::config::size_class::BIN_BYTES;
use crate::config::{Purge, Thp};
use crate::mem::chunk::{Claimed, Grain, SLICE_BYTES, chunk_of};
use crate::mem::page::{Page, tail};
use crate::mem::{arena, cleared, keys, pagemap};
use crate::os::{OS_PAGE_BYTES, tracked};

/// How memory is expected to be used, which decides how it is best backed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// Little of it, or none for long.
    HereAndThere,
    /// Most of it, soon.
    AllOver,
}

/// Bytes in use above which a process is so large that huge pages pay: a touched byte costs a quarter
/// in them (64 MiB: 26 ms of faults without, 5.7 with), a partly used one at most 2 MiB.
///
/// Below a C face are programs whose time is not in their memory: from 8 MiB on, git, sqlite, ghostscript
/// and z3 took 5 to 8 % more memory than from 32 MiB on, and the same time.
const fn large_process_bytes<C: Choices>() -> usize {
    if C::EXPORTS { 32 << 20 } else { 8 << 20 }
}

/// A fresh page of `class` without an owner, charged to `account`.
pub(super) fn claim_page<C: Choices>(
    account: &'static Account<C>,
    class: usize,
    touch: Touch,
) -> Option<&'static Page> {
    let (block_bytes, page_bytes) = (C::block_bytes(class), C::page_bytes(class));
    let slices = page_bytes / SLICE_BYTES;
    let guard_bytes = if C::ENDS { GUARD_BYTES } else { 0 };
    // Aligned to its own size, so that a block's page is found by masking.
    let start = claim_slices(account, slices, slices, touch, guard_bytes)?.start;
    // SAFETY: just claimed.
    let usable_bytes = unsafe { tail::usable_bytes(start, slices) };
    // SAFETY: as above.
    let page = unsafe { Page::at(start.as_ptr()) };
    page.init(
        start.as_ptr(),
        slices as u32,
        block_bytes as u32,
        (usable_bytes / block_bytes) as u32,
        class as u8,
    );
    if C::EXPORTS {
        page.note_bin((class * BIN_BYTES) as u16);
    }
    if C::PAGES {
        // SAFETY: just claimed, and aligned to their size.
        unsafe { pagemap::enter(start.as_ptr(), slices, account.number(), class) };
    }
    if C::TELLS {
        for index in 0..page.reserved() as usize {
            let block = start.as_ptr().wrapping_add(index * block_bytes);
            tracked::freed(block, block_bytes);
        }
    }
    Some(page)
}

/// Slices from the arena, charged to `account`. Their last `guard_bytes` are a guard, if one can be had and is to be
/// [where they are](guard_at).
pub(super) fn claim_slices<C: Choices>(
    account: &'static Account<C>,
    slices: usize,
    align: usize,
    touch: Touch,
    guard_bytes: usize,
) -> Option<Claimed> {
    if C::LINKS || C::SHUFFLE || C::CANARIES {
        // Before the first block is signed, or drawn.
        keys::draw();
    }
    let bytes = slices * SLICE_BYTES;
    if !account.charge(bytes) {
        return None;
    }
    let grain = match C::CONFIG.thp {
        // A guard is an OS page, which keeps others from becoming a huge one.
        _ if C::GUARDS => Grain::Sparse,
        Thp::Never => Grain::Sparse,
        Thp::Always => Grain::Dense,
        Thp::Default if touch == Touch::AllOver && arena::uses_over(large_process_bytes::<C>()) => {
            Grain::Dense
        }
        Thp::Default => Grain::Sparse,
    };
    let claimed = arena::claim(slices, align, grain, account.tenant());
    let claimed = match claimed {
        Some(claimed) if C::NOTES => {
            // SAFETY: just claimed.
            unsafe { note_claimed::<C>(claimed, slices, guard_bytes) }
        }
        claimed => claimed,
    };
    if claimed.is_none() {
        account.discharge(bytes);
    }
    claimed
}

/// How many of `guard_bytes` are to be a guard behind what lies at `start`: none where it would keep the OS pages
/// around it from becoming a huge one, but of a type that has guards everywhere.
///
/// # Safety
/// - `start` is claimed.
pub(super) unsafe fn guard_at<C: Choices>(start: NonNull<u8>, guard_bytes: usize) -> usize {
    // SAFETY: claimed, hence in a chunk.
    let is_everywhere = C::GUARDS || unsafe { chunk_of(start) }.grain() == Grain::Sparse;
    if is_everywhere { guard_bytes } else { 0 }
}

/// Reads and changes the notes on slices: looks at what has been cleared, and puts the guard where it belongs. `None`, and
/// the slices given back, when the OS refuses to make usable what was a guard.
///
/// # Safety
/// - the `slices` were claimed by the caller, who has not used them.
unsafe fn note_claimed<C: Choices>(
    claimed: Claimed,
    slices: usize,
    guard_bytes: usize,
) -> Option<Claimed> {
    // SAFETY: the caller's promise.
    unsafe { cleared::take::<C>(claimed.start, slices) };
    // SAFETY: as above.
    let guard_bytes = unsafe { guard_at::<C>(claimed.start, guard_bytes) };
    // SAFETY: as above.
    if unsafe { tail::guard_end(claimed.start, slices, guard_bytes / OS_PAGE_BYTES) } {
        return Some(claimed);
    }
    // SAFETY: as above.
    unsafe { arena::release(claimed.start, slices, Purge::Never) };
    None
}

/// Gives the memory of a page that nobody owns any more back to the arena.
pub(super) fn release_page<C: Choices>(account: &Account<C>, page: &'static Page, purge: Purge) {
    let slices = page.slices() as usize;
    let start = page.start();
    page.retire_header();
    if C::PAGES {
        // SAFETY: a page's, which is the caller's.
        unsafe { pagemap::leave(start, slices, account.number()) };
    }
    if let Some(start) = NonNull::new(start) {
        // SAFETY: claimed for this page; no block of it is used any more.
        unsafe { release_slices(account, start, slices, purge) };
    }
}

/// Gives slices back to the arena.
///
/// # Safety
/// - the `slices` from `start` on were claimed for this `account`, and nobody uses them.
pub(super) unsafe fn release_slices<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    slices: usize,
    purge: Purge,
) {
    account.discharge(slices * SLICE_BYTES);
    // SAFETY: the caller's promise.
    unsafe { arena::release(start, slices, purge) };
}
