//! Fork in a process with threads: the child has one thread, and it must find
//! no lock held and nothing half done that it could run into.

use crate::base::sync::{AtomicBool, Ordering};
use crate::heap::upkeep;
use crate::os;

/// Registers the handlers, once.
pub(super) fn register_once() {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    // Relaxed: only one caller may go on, and nothing is published by it.
    if !REGISTERED.load(Ordering::Relaxed) && !REGISTERED.swap(true, Ordering::Relaxed) {
        os::register_fork_handlers(prepare, parent, child);
    }
}

unsafe extern "C" fn prepare() {
    upkeep::hold_for_fork();
}

unsafe extern "C" fn parent() {
    upkeep::resume_after_fork();
}

unsafe extern "C" fn child() {
    upkeep::resume_after_fork();
    upkeep::start_over();
}
