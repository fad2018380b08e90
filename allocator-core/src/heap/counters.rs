//! What a heap counts, when its type counts at all.

use crate::base::sync::{AtomicU64, Ordering};

/// A count written by one thread at a time and read by any.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`; for the one thread that writes.
    #[inline(always)]
    pub(crate) fn add(&self, n: u64) {
        // Relaxed, and not one atomic step: there is one writer, and readers only want a figure.
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(n),
            Ordering::Relaxed,
        );
    }

    /// Adds 1 where several threads write.
    pub(crate) fn add_shared(&self) {
        // Relaxed: a figure.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: a figure.
        self.0.load(Ordering::Relaxed)
    }
}

/// A heap's counters; the public names and meanings are those of `Stats`.
pub(crate) struct Counters {
    pub(crate) allocations: Counter,
    pub(crate) frees: Counter,
    pub(crate) remote_frees: Counter,
    pub(crate) refills: Counter,
    pub(crate) flushes: Counter,
    pub(crate) extensions: Counter,
    pub(crate) collects: Counter,
    pub(crate) collects_skipped: Counter,
    pub(crate) thread_free_loads: Counter,
    pub(crate) pages_made: Counter,
    pub(crate) pages_retired: Counter,
    pub(crate) pages_adopted: Counter,
    pub(crate) pages_abandoned: Counter,
    pub(crate) sampled: Counter,
}

/// What is counted of one class.
pub(crate) struct ClassCounters {
    pub(crate) allocations: Counter,
    pub(crate) frees: Counter,
}
