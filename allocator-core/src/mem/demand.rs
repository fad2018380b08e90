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
/// Most slices in use at a time in this epoch and in the one before.
static PEAK: AtomicIsize = AtomicIsize::new(0);
static PEAK_BEFORE: AtomicIsize = AtomicIsize::new(0);
/// When this epoch began, in ms.
static EPOCH_START_MS: AtomicU64 = AtomicU64::new(0);

/// Counts a claim of `slices`.
pub(super) fn claimed(slices: usize, claimed: &Claimed, now_ms: u64) {
    let slices = slices.cast_signed();
    let used = USED.fetch_add(slices, Relaxed) + slices;
    if claimed.backed != claimed.newly_backed {
        let more = claimed.newly_backed.cast_signed() - claimed.backed.cast_signed();
        BACKED.fetch_add(more, Relaxed);
    }
    if used > PEAK.load(Relaxed) {
        PEAK.fetch_max(used, Relaxed);
    }
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
    let start_ms = EPOCH_START_MS.load(Relaxed);
    let age_ms = now_ms.saturating_sub(start_ms);
    if age_ms >= EPOCH_MS {
        let peak = PEAK.swap(USED.load(Relaxed), Relaxed);
        PEAK_BEFORE.store(if age_ms < 2 * EPOCH_MS { peak } else { 0 }, Relaxed);
        EPOCH_START_MS.store(now_ms, Relaxed);
    }
    let lately = PEAK.load(Relaxed).max(PEAK_BEFORE.load(Relaxed));
    USED.load(Relaxed) + BACKED.load(Relaxed) - leaving.cast_signed() <= lately
}
