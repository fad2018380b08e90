//! What one thread asked for and gave back, counted by place.
//!
//! Time is counted in allocations of the process. A block that is allocated takes the time off its
//! place's `age`, one that is freed adds it: with the time now for each that is live, `age` is the time that
//! all blocks of the place have lived together, and over all time that is how many were live on average.
//!
//! 1. A tally has one writer, who also knows the time: that of the process as it last looked, and its
//!    own allocations since.

use super::places::PLACES;
use crate::base::counter::Counter;

/// Allocations of a thread after which it looks at the time again.
const TICKS_MAX: u64 = 1024;

/// Bytes of live blocks that a thread may keep to itself, at least and at most.
const UNTOLD_BYTES: [u64; 2] = [4 << 10, 1 << 20];

/// What is counted at a place.
pub(crate) struct Row {
    pub(crate) allocations: Counter,
    pub(crate) frees: Counter,
    pub(crate) age: Counter,
}

/// One thread's counts. All zero is one that has to settle with the ledger at once.
pub(crate) struct Tally {
    /// The time as the thread knows it (Inv. 1).
    clock: Counter,
    /// When it looks again.
    look_at: Counter,
    /// The time of the process when it last looked.
    looked: Counter,
    /// Bytes allocated less bytes freed since; may be negative.
    untold: Counter,
    /// How many of them, either way, make it tell.
    untold_max: Counter,
    /// Which tally it is; 0 is the common one.
    number: Counter,
    rows: [Row; PLACES],
}

/// What a thread tells.
pub(crate) struct Told {
    /// Its allocations since it last did.
    pub(crate) ticks: u64,
    /// Bytes allocated less bytes freed; may be negative.
    pub(crate) bytes: u64,
}

impl Tally {
    /// What is counted at a place.
    #[inline(always)]
    pub(crate) fn row(&self, place: usize) -> &Row {
        debug_assert!(place < PLACES);
        // SAFETY: `place` is one.
        unsafe { self.rows.get_unchecked(place) }
    }

    /// Counts an allocation; whether it is time to settle.
    #[inline(always)]
    #[must_use]
    pub(crate) fn allocated(&self, place: usize, bytes: usize) -> bool {
        let clock = self.clock.get();
        let row = self.row(place);
        row.allocations.add(1);
        row.age.add(clock.wrapping_neg());
        self.clock.set(clock + 1);
        let untold = self.untold.get().wrapping_add(bytes as u64);
        self.untold.set(untold);
        untold.cast_signed() > self.untold_max.get().cast_signed() || clock >= self.look_at.get()
    }

    /// Whether it is time to settle before a free.
    #[inline(always)]
    pub(crate) fn falls_far(&self, bytes: usize) -> bool {
        let after = self.untold.get().wrapping_sub(bytes as u64).cast_signed();
        after < self.untold_max.get().cast_signed().wrapping_neg()
    }

    /// Counts a free.
    #[inline(always)]
    pub(crate) fn freed(&self, place: usize, bytes: usize) {
        let row = self.row(place);
        row.frees.add(1);
        row.age.add(self.clock.get());
        self.untold.add((bytes as u64).wrapping_neg());
    }

    /// What there is to tell, which counts as told.
    pub(crate) fn tell(&self) -> Told {
        let told = Told {
            ticks: self.clock.get().wrapping_sub(self.looked.get()),
            bytes: self.untold.get(),
        };
        self.untold.set(0);
        told
    }

    /// Notes the time of the process, and the most bytes that were live in it.
    pub(crate) fn look(&self, clock: u64, top_bytes: u64) {
        self.clock.set(clock);
        self.looked.set(clock);
        self.look_at.set(clock + TICKS_MAX);
        let [least, most] = UNTOLD_BYTES;
        self.untold_max.set((top_bytes / 256).max(least).min(most));
    }

    /// What was not told yet: bytes allocated less bytes freed.
    pub(crate) fn untold(&self) -> u64 {
        self.untold.get()
    }

    pub(crate) fn set_number(&self, number: u64) {
        self.number.set(number);
    }

    pub(crate) fn number(&self) -> u64 {
        self.number.get()
    }

    /// Whether anything was allocated.
    pub(crate) fn is_used(&self) -> bool {
        self.rows.iter().any(|row| row.allocations.get() > 0)
    }

    /// Counts an allocation where several threads write; they know no time but `clock`.
    pub(crate) fn allocated_shared(&self, place: usize, clock: u64) {
        let row = self.row(place);
        row.allocations.add_shared(1);
        row.age.add_shared(clock.wrapping_neg());
    }

    /// Counts a free where several threads write.
    pub(crate) fn freed_shared(&self, place: usize, clock: u64) {
        let row = self.row(place);
        row.frees.add_shared(1);
        row.age.add_shared(clock);
    }
}
