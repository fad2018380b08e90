//! Free slices on their way to the OS, from any chunks: they are claimed, collected, and given back
//! with one call for many runs. A call for each run would be thousands a second in a program whose
//! free slices lie apart.

use core::ptr::NonNull;

use super::chunk::{Chunk, SLICE_BYTES, chunk_of};
use super::demand;
use crate::os::{self, Range};

/// Runs in a call; 2 KiB on the stack.
const RUNS_MAX: usize = 128;

/// Runs of slices that were free and are claimed, by who has this.
pub(super) struct Leaving {
    runs: [Range; RUNS_MAX],
    count: usize,
    slices: usize,
}

impl Leaving {
    pub(super) fn new() -> Self {
        let nothing = Range {
            start: NonNull::dangling(),
            bytes: 0,
        };
        Self {
            runs: [nothing; RUNS_MAX],
            count: 0,
            slices: 0,
        }
    }

    /// Slices that are about to go.
    pub(super) fn slices(&self) -> usize {
        self.slices
    }

    /// Takes what has expired in a chunk; see [`Chunk::claim_expired`].
    pub(super) fn add_expired(&mut self, chunk: &'static Chunk, busy: bool, later_ms: u64) {
        chunk.claim_expired(busy, later_ms, |run| self.add(run));
    }

    /// Takes all that is free in a chunk.
    pub(super) fn add_free(&mut self, chunk: &'static Chunk) {
        chunk.claim_free(|run| self.add(run));
    }

    fn add(&mut self, run: Range) {
        if self.count == RUNS_MAX {
            self.go();
        }
        if let Some(place) = self.runs.get_mut(self.count) {
            *place = run;
            self.count += 1;
            self.slices += run.bytes / SLICE_BYTES;
        }
    }

    /// Gives the runs back to the OS, and releases them.
    pub(super) fn go(&mut self) {
        let runs = self.runs.get(..self.count).unwrap_or_default();
        let mut purged_slices = 0;
        // SAFETY: the runs were free, and are claimed by this thread.
        unsafe {
            os::purge_ranges(runs, |run, purged| {
                // Claimed, hence in a chunk.
                purged_slices += chunk_of(run.start).end_purge(run, purged);
            });
        }
        demand::purged(purged_slices);
        (self.count, self.slices) = (0, 0);
    }
}
