//! Places where threads of a type leave blocks for each other.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Places, of which each is empty (0) or has a block's address.
pub struct Exchange([AtomicUsize; Exchange::PLACES]);

impl Exchange {
    /// How many places there are.
    pub const PLACES: usize = 2048;

    /// All empty.
    pub const fn new() -> Self {
        Self([const { AtomicUsize::new(0) }; Self::PLACES])
    }

    /// Leaves a block, if the place is empty. From now on it is whose who takes it.
    pub fn put(&self, place: usize, block: usize) -> bool {
        // Release: what was written to the block is seen by who takes it. Not Acquire: what the last taker did is
        // not for us to see, or the sanitizer would believe that we had waited for its free.
        self.0[place % Self::PLACES]
            .compare_exchange(0, block, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the block that is there.
    pub fn take(&self, place: usize) -> Option<usize> {
        let place = &self.0[place % Self::PLACES];
        // Acquire: pairs with the Release in put(). Not Release: see there.
        match place.swap(0, Ordering::Acquire) {
            0 => None,
            block => Some(block),
        }
    }
}
