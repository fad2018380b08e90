//! A lock for sections of a few hundred instructions that make no OS call.
//!
//! It never allocates, and it can be held across `fork`: the handlers take
//! every lock before the fork and let go of it on both sides.

use super::sync::{AtomicBool, Ordering, wait_a_little};

pub(crate) struct Lock {
    held: AtomicBool,
}

impl Lock {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            held: AtomicBool::new(false),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            held: AtomicBool::new(false),
        }
    }

    /// Whether this call took the lock.
    pub(crate) fn try_acquire(&self) -> bool {
        // Acquire: pairs with the Release in release(), so that the last holder's writes are seen.
        !self.held.swap(true, Ordering::Acquire)
    }

    /// Waits until the lock is taken.
    pub(crate) fn acquire(&self) {
        let mut spins = 0;
        while !self.try_acquire() {
            // Relaxed: only to wait without writing; try_acquire() synchronises.
            while self.held.load(Ordering::Relaxed) {
                wait_a_little(&mut spins);
            }
        }
    }

    /// Lets go of the lock, which the caller holds.
    pub(crate) fn release(&self) {
        // Release: pairs with the Acquire in try_acquire().
        self.held.store(false, Ordering::Release);
    }
}
