//! Figures of the process, and the right to have it alone.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of an OS page.
pub const OS_PAGE_BYTES: usize = 4096;

/// Resident bytes of the process.
///
/// # Panics
/// When the OS does not tell.
#[must_use]
pub fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let pages = statm.split_whitespace().nth(1).expect("the second figure");
    pages.parse::<usize>().expect("a number") * OS_PAGE_BYTES
}

/// Keeps the other tests of this binary that ask for it out: for what is counted by process,
/// such as resident memory, calls of the OS and injected faults.
#[must_use = "the others are let in when it is dropped"]
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed while it was alone leaves nothing behind that would fail another.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
