//! What threads made of a run that is counted: atomic operations, and lines of
//! the cache that moved between them.

use allocator_core::__private as core;
use serde::{Deserialize, Serialize};
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls of a [`Counting`] allocator. Relaxed: a figure.
static OPERATIONS: AtomicU64 = AtomicU64::new(0);

/// Counts of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Allocations, frees and reallocations.
    pub operations: u64,
    /// Atomic read-modify-writes of the allocator.
    pub read_modify_writes: u64,
    /// Lines of the allocator's shared data that moved from one thread's cache to another's, if
    /// every thread had a core of its own.
    pub line_transfers: u64,
    /// Those of the line that moved most often.
    pub busiest_line_transfers: u64,
    /// Calls of the OS about memory, barriers included.
    pub os_calls: u64,
    /// Barriers on every running thread.
    pub barriers: u64,
}

impl Traffic {
    /// Does the work and counts; what the work returned, too.
    ///
    /// # Errors
    /// A sentence, in a program that was built without `--cfg allocator_count_atomics`.
    pub fn of<T>(work: impl FnOnce() -> T) -> Result<(T, Self), String> {
        core::restart_counts();
        let before = OPERATIONS.load(Ordering::Relaxed);
        let result = work();
        let operations = OPERATIONS.load(Ordering::Relaxed) - before;
        let counts = core::counts().ok_or("built without `--cfg allocator_count_atomics`")?;
        let traffic = Self {
            operations,
            read_modify_writes: counts.read_modify_writes,
            line_transfers: counts.line_transfers,
            busiest_line_transfers: counts.busiest_line_transfers,
            os_calls: counts.os_calls,
            barriers: counts.barriers,
        };
        Ok((result, traffic))
    }

    /// A count for each thousand operations.
    #[must_use]
    pub fn per_1000(&self, count: u64) -> f64 {
        count as f64 * 1e3 / self.operations.max(1) as f64
    }
}

/// An allocator whose calls are counted.
pub struct Counting<A>(pub A);

// SAFETY: every call goes, unchanged, to the same allocator, which keeps the contract.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.realloc(block, layout, new_size) }
    }
}

fn count() {
    OPERATIONS.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_does_not_count_says_so() {
        let counted = Traffic::of(|| 7);
        match allocator_core::__private::counts() {
            None => assert!(counted.unwrap_err().contains("--cfg")),
            Some(_) => assert_eq!(counted.unwrap().0, 7),
        }
    }

    #[test]
    fn every_call_of_a_counting_allocator_is_an_operation() {
        let before = OPERATIONS.load(Ordering::Relaxed);
        let (allocator, layout) = (Counting(std::alloc::System), Layout::new::<u64>());
        // SAFETY: the layout is not of size zero; the block is from this allocator, with this layout.
        unsafe {
            let block = allocator.alloc_zeroed(layout);
            let block = allocator.realloc(block, layout, 8);
            allocator.dealloc(block, layout);
        }
        assert!(OPERATIONS.load(Ordering::Relaxed) >= before + 3);
    }
}
