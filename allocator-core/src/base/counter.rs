//! A count with one writer.

use super::sync::{AtomicU64, Ordering};

/// A count written by one thread at a time and read by any.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`, which may be the complement of what is to be taken off; for the one thread that writes.
    #[inline(always)]
    pub(crate) fn add(&self, n: u64) {
        self.set(self.get().wrapping_add(n));
    }

    /// Sets it; for the one thread that writes.
    #[inline(always)]
    pub(crate) fn set(&self, n: u64) {
        // Relaxed, and not one atomic step with what was read: there is one writer, and readers only
        // want a figure.
        self.0.store(n, Ordering::Relaxed);
    }

    /// Adds `n` where several threads write; the count before.
    #[inline(always)]
    pub(crate) fn add_shared(&self, n: u64) -> u64 {
        // Relaxed: a figure.
        self.0.fetch_add(n, Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        // Relaxed: a figure.
        self.0.load(Ordering::Relaxed)
    }
}
