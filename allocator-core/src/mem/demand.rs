//! How much memory the process asks for: what is in use, what was lately, and
//! what lies free but backed. Purging is decided by it.
//!
//! A program that frees much and goes on wants it again. So as long as the
//! arena is in use, expired memory stays up to what was in use lately; what
//! exceeds that goes at once, and all of it when the arena has been quiet.
//!
//! All of it are figures, none of which anything is published by: Relaxed. They
//! may be off by what other threads are just doing, and so below zero.

use super::chunk::Claimed;
use crate::base::sync::{AtomicIsize, AtomicU64, Ordering::Relaxed};

/// The arena is quiet when nothing was claimed or released for this long.
const QUIET_MS: u64 = 10;
/// "Lately" is this long to twice this long.
const EPOCH_MS: u64 = 250;

/// Slices in use.
static USED: AtomicIsize = AtomicIsize::new(0);
/// Free slices that are backed by memory.
static BACKED: AtomicIsize = AtomicIsize::new(0);
/// When a slice was last claimed or released, in ms.
static LAST_USE_MS: AtomicU64 = AtomicU64::new(0);
static LATELY: Lately = Lately::new();

/// Most slices in use at a time, lately.
struct Lately {
    /// In this epoch, and in the one before.
    peak: AtomicIsize,
    peak_before: AtomicIsize,
    /// When this epoch began, in ms; 0 until somebody asks: the first one is as long as that takes.
    start_ms: AtomicU64,
}

impl Lately {
    const fn new() -> Self {
        Self {
            peak: AtomicIsize::new(0),
            peak_before: AtomicIsize::new(0),
            start_ms: AtomicU64::new(0),
        }
    }

    /// So many slices are in use.
    fn note(&self, used: isize) {
        if used > self.peak.load(Relaxed) {
            self.peak.fetch_max(used, Relaxed);
        }
    }

    /// The most at a time, now that so many are in use.
    fn peak(&self, used: isize, now_ms: u64) -> isize {
        match self.start_ms.load(Relaxed) {
            0 => self.start_ms.store(now_ms, Relaxed),
            start_ms => {
                let age_ms = now_ms.saturating_sub(start_ms);
                if age_ms >= EPOCH_MS {
                    let peak = self.peak.swap(used, Relaxed);
                    let before = if age_ms < 2 * EPOCH_MS { peak } else { 0 };
                    self.peak_before.store(before, Relaxed);
                    self.start_ms.store(now_ms, Relaxed);
                }
            }
        }
        self.peak.load(Relaxed).max(self.peak_before.load(Relaxed))
    }
}

/// Counts a claim of `slices`.
pub(super) fn claimed(slices: usize, claimed: &Claimed, now_ms: u64) {
    let slices = slices.cast_signed();
    let used = USED.fetch_add(slices, Relaxed) + slices;
    if claimed.backed != claimed.newly_backed {
        let more = claimed.newly_backed.cast_signed() - claimed.backed.cast_signed();
        BACKED.fetch_add(more, Relaxed);
    }
    LATELY.note(used);
    note_use(now_ms);
}

/// Counts a release of `slices`, of which `backed` stay backed by memory.
pub(super) fn released(slices: usize, backed: usize) {
    USED.fetch_sub(slices.cast_signed(), Relaxed);
    BACKED.fetch_add(backed.cast_signed(), Relaxed);
}

/// Counts a purge of free slices.
pub(super) fn purged(slices: usize) {
    BACKED.fetch_sub(slices.cast_signed(), Relaxed);
}

/// The arena is in use.
pub(super) fn note_use(now_ms: u64) {
    // Written only when the clock has moved on, so that it can stay in every core's cache.
    if LAST_USE_MS.load(Relaxed) != now_ms {
        LAST_USE_MS.store(now_ms, Relaxed);
    }
}

/// Slices in use.
pub(super) fn used() -> usize {
    USED.load(Relaxed).max(0).cast_unsigned()
}

/// Free slices that are backed by memory.
pub(super) fn backed() -> usize {
    BACKED.load(Relaxed).max(0).cast_unsigned()
}

/// Whether free slices are backed by memory.
pub(super) fn has_backed() -> bool {
    backed() > 0
}

/// When the arena will be quiet if nothing more happens, in ms.
pub(super) fn quiet_ms() -> u64 {
    LAST_USE_MS.load(Relaxed) + QUIET_MS
}

/// Whether what is free and backed, but for `leaving` slices, may be wanted again soon: no more is
/// resident than was in use lately.
pub(super) fn is_wanted(now_ms: u64, leaving: usize) -> bool {
    let used = USED.load(Relaxed);
    used + BACKED.load(Relaxed) - leaving.cast_signed() <= LATELY.peak(used, now_ms)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn lately_begins_with_the_process_and_ends_two_epochs_ago() {
        let lately = Lately::new();
        lately.note(900);
        lately.note(20);
        // However long the machine has run by then.
        assert_eq!(lately.peak(20, 123_456), 900);
        assert_eq!(lately.peak(20, 123_456 + EPOCH_MS - 1), 900);
        lately.note(100);
        assert_eq!(lately.peak(10, 123_456 + EPOCH_MS), 900);
        lately.note(50);
        assert_eq!(lately.peak(10, 123_456 + 2 * EPOCH_MS), 50);
        assert_eq!(lately.peak(10, 123_456 + 3 * EPOCH_MS), 10);
        // Nobody has asked for long.
        lately.note(700);
        assert_eq!(lately.peak(10, 123_456 + 9 * EPOCH_MS), 10);
    }
}
