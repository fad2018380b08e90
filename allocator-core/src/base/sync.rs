//! Atomics and cells behind one face: `core`'s; when the concurrency is model-checked, those that
//! loom watches (`super::modelled`); in a build with `--cfg allocator_count_atomics` those that count
//! what they do (`super::counted`).

use super::counts::Counts;

pub(crate) use core::sync::atomic::Ordering;

#[cfg(loom)]
pub(crate) use {
    super::modelled::{
        AtomicBool, AtomicIsize, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Cell,
    },
    loom::sync::atomic::fence,
};

#[cfg(not(loom))]
pub(crate) use core::{
    cell::Cell,
    sync::atomic::{compiler_fence, fence},
};

#[cfg(all(not(loom), allocator_count_atomics))]
pub(crate) use super::counted::{
    AtomicBool, AtomicIsize, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize,
};
#[cfg(all(not(loom), not(allocator_count_atomics)))]
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicIsize, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize,
};

/// What was counted since [`restart_counts`]; `None` in a build that does not count.
#[must_use]
pub fn counts() -> Option<Counts> {
    #[cfg(allocator_count_atomics)]
    return Some(super::counted::counts());
    #[cfg(not(allocator_count_atomics))]
    None
}

/// Begins to count from nothing, in a build that counts. Exact while no other thread allocates.
pub fn restart_counts() {
    #[cfg(allocator_count_atomics)]
    super::counted::restart();
}

/// Counts a call of the OS, in a build that counts.
#[inline(always)]
pub(crate) fn count_os_call(is_barrier: bool) {
    #[cfg(allocator_count_atomics)]
    super::counted::os_call(is_barrier);
    #[cfg(not(allocator_count_atomics))]
    let _ = is_barrier;
}
