//! When upkeep is next due: one time for the whole process, looked at by every
//! thread that leaves the fast path.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::os;

/// The time, in ms of [`os::now_ms`]; 0: nothing is due.
static NEXT_MS: AtomicU64 = AtomicU64::new(0);

/// Makes upkeep due at `deadline_ms` at the latest.
pub(crate) fn by(deadline_ms: u64) {
    // Relaxed: a time; what is to be done synchronises by itself.
    let next = NEXT_MS.load(Ordering::Relaxed);
    if next == 0 || deadline_ms < next {
        // Relaxed: as above. Losing to another deadline of about now is as good.
        let _ = NEXT_MS.compare_exchange(next, deadline_ms, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Whether something is due.
#[inline]
pub(crate) fn is_due() -> bool {
    // Relaxed: as above.
    let next = NEXT_MS.load(Ordering::Relaxed);
    next != 0 && os::now_ms() >= next
}

/// Whether a time is set at all.
#[inline]
pub(crate) fn is_set() -> bool {
    // Relaxed: as above.
    NEXT_MS.load(Ordering::Relaxed) != 0
}

/// Takes the time off, before the work is done.
pub(crate) fn clear() {
    // Relaxed: as above.
    NEXT_MS.store(0, Ordering::Relaxed);
}
