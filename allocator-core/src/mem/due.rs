//! When upkeep is next due: one time for the whole process, looked at by every
//! thread that leaves the fast path.

use crate::base::deadline::Deadline;
use crate::config::Purge;
use crate::os;

static NEXT: Deadline = Deadline::new();

/// Makes upkeep due at `at_ms`, of [`os::now_ms`], at the latest.
pub(crate) fn by(at_ms: u64) {
    NEXT.by(at_ms);
}

/// Makes upkeep due when what became free at `now_ms` is to go back to the OS.
pub(crate) fn after(now_ms: u64, purge: Purge) {
    match purge {
        Purge::Never => {}
        Purge::Now => by(now_ms),
        Purge::After(delay_ms) => by(now_ms + u64::from(delay_ms)),
    }
}

/// Whether something is due.
#[inline]
pub(crate) fn is_due() -> bool {
    NEXT.get().is_some_and(|next_ms| os::now_ms() >= next_ms)
}

/// Takes the time off, before the work is looked for.
pub(crate) fn clear() {
    NEXT.take();
}
