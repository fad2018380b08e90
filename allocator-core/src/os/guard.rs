//! Guards: OS pages inside a mapping that fault at the first touch.
//!
//! The OS marks them where it can (Linux 6.13), which costs no mapping of its own. Where it cannot, they are
//! protected, which splits the mapping: under a budget, because a process can have some 65,530 mappings
//! and then gets no more memory. A guard that cannot be had is left out, and counted.
//!
//! What was in a guard's memory is gone afterwards. Purging over a guard leaves it a guard.

use core::ptr::NonNull;

use super::{Call, permitted, unix};
use crate::base::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Guards that may be protected at a time; each splits a mapping in three.
const PROTECTED_MAX: u32 = 16_384;

/// Whether the OS has said that it cannot mark: then it is not asked again.
static CANNOT_MARK: AtomicBool = AtomicBool::new(false);
/// Guards that are protected now.
static PROTECTED: AtomicU32 = AtomicU32::new(0);
/// Guards that were wanted and could not be had.
static SKIPPED: AtomicU64 = AtomicU64::new(0);

/// By what means the OS pages of a guard fault. A guard that grew may need both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Means(u8);

impl Means {
    /// There is no guard.
    pub(crate) const NONE: Self = Self(0);
    const MARKED: Self = Self(1);
    const PROTECTED: Self = Self(2);
    /// Bits that it takes.
    pub(crate) const BITS: u32 = 2;

    pub(crate) fn to_bits(self) -> u8 {
        self.0
    }

    /// What [`Means::to_bits`] gave.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    fn has(self, means: Self) -> bool {
        self.0 & means.0 != 0
    }

    /// Both.
    pub(crate) fn with(self, means: Self) -> Self {
        Self(self.0 | means.0)
    }
}

/// Guards that were wanted and could not be had, over the process.
pub(crate) fn skipped() -> u64 {
    // Relaxed: a figure.
    SKIPPED.load(Relaxed)
}

/// Makes OS pages a guard, or the part that a guard with `means` grows by: by what means the whole is
/// one then. `None` when it cannot be had; then it is as it was.
///
/// # Safety
/// - the range is whole OS pages of mappings of [`super::reserve`], and its content is dead.
pub(crate) unsafe fn install(start: NonNull<u8>, bytes: usize, means: Means) -> Option<Means> {
    // SAFETY: the caller's promise.
    if unsafe { mark(start, bytes) } {
        return Some(means.with(Means::MARKED));
    }
    // SAFETY: as above.
    let protected = unsafe { protect(start, bytes, means) };
    if !protected {
        // Relaxed: a figure.
        SKIPPED.fetch_add(1, Relaxed);
        return None;
    }
    // The memory behind it goes, as that of a marked one does. A refusal keeps it, unused.
    // SAFETY: as above.
    unsafe { super::purge(start, bytes) };
    Some(means.with(Means::PROTECTED))
}

/// Marks OS pages.
///
/// # Safety
/// - as [`install`].
unsafe fn mark(start: NonNull<u8>, bytes: usize) -> bool {
    // Relaxed: a hint.
    if CANNOT_MARK.load(Relaxed) || !permitted(Call::Guard) {
        return false;
    }
    // SAFETY: the caller's promise.
    let marked = unsafe { unix::mark_guard(start, bytes) };
    if !marked && unix::errno() == libc::EINVAL {
        // Relaxed: as above.
        CANNOT_MARK.store(true, Relaxed);
    }
    marked
}

/// Protects OS pages, within the budget; part of a guard with `means`.
///
/// # Safety
/// - as [`install`].
unsafe fn protect(start: NonNull<u8>, bytes: usize, means: Means) -> bool {
    let counts = !means.has(Means::PROTECTED);
    // Relaxed: a sum; nothing is published by it. Here and below.
    if counts && PROTECTED.fetch_add(1, Relaxed) >= PROTECTED_MAX {
        PROTECTED.fetch_sub(1, Relaxed);
        return false;
    }
    // SAFETY: the caller's promise.
    let protected = permitted(Call::Protect) && unsafe { unix::protect(start, bytes, false) };
    if counts && !protected {
        PROTECTED.fetch_sub(1, Relaxed);
    }
    protected
}

/// Makes OS pages usable again that were a guard, or several, with these `means` in all. `counted`: how many
/// of them are no guards any more that were protected. False when the OS refuses: then they are as they were, or usable.
///
/// # Safety
/// - the range is whole OS pages of mappings of [`super::reserve`], and what is no guard in it is dead, too.
pub(crate) unsafe fn remove(start: NonNull<u8>, bytes: usize, means: Means, counted: u32) -> bool {
    // SAFETY: the caller's promise.
    let unmarked = !means.has(Means::MARKED)
        || permitted(Call::Unguard) && unsafe { unix::unmark_guard(start, bytes) };
    // SAFETY: as above.
    let removed = unmarked
        && (!means.has(Means::PROTECTED)
            || permitted(Call::Protect) && unsafe { unix::protect(start, bytes, true) });
    // What refuses to change can still be replaced.
    // SAFETY: as above.
    let removed = removed || permitted(Call::Map) && unsafe { unix::map_anew(start, bytes) };
    if removed {
        forget(counted);
    }
    removed
}

/// Notes that so many protected guards are gone, with the mapping that they were in.
pub(crate) fn forget(counted: u32) {
    if counted > 0 {
        // Relaxed: as in protect().
        PROTECTED.fetch_sub(counted, Relaxed);
    }
}

/// How much a guard with these `means` counts for in [`remove`] and [`forget`].
pub(crate) fn count(means: Means) -> u32 {
    u32::from(means.has(Means::PROTECTED))
}
