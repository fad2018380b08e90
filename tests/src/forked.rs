//! Children of fork: the calling thread goes on alone in a copy of the process.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use std::{mem, ptr};

/// A child that takes longer hangs: it has a few milliseconds' work to do, be the machine as busy as it may.
const HANG: Duration = Duration::from_secs(60);

/// A child process of fork.
#[derive(Debug)]
pub struct Child {
    id: libc::pid_t,
    start: Instant,
}

/// Forks; the child does `act` and ends, well if that does not panic.
///
/// # Panics
/// When the OS has no process left.
#[must_use]
pub fn fork(act: impl FnOnce()) -> Child {
    let start = Instant::now();
    // SAFETY: the child runs `act` and ends without returning. It may allocate: the C library's
    // allocator, too, is prepared for that.
    let id = unsafe { libc::fork() };
    assert!(id >= 0, "fork: {}", std::io::Error::last_os_error());
    if id == 0 {
        let status = i32::from(catch_unwind(AssertUnwindSafe(act)).is_err());
        // SAFETY: nothing of the parent's that would run at exit may run here.
        unsafe { libc::_exit(status) };
    }
    Child { id, start }
}

impl Child {
    /// Waits for the child's end.
    ///
    /// # Panics
    /// When the child hung or did not end well.
    #[track_caller]
    pub fn succeeds(self) {
        self.succeeds_within(HANG);
    }

    /// The same where the machine is busy.
    ///
    /// # Panics
    /// When the child did not end well in that time.
    #[track_caller]
    pub fn succeeds_within(self, time: Duration) {
        let mut status = 0;
        loop {
            // SAFETY: `status` is valid for writes.
            let ended = unsafe { libc::waitpid(self.id, &raw mut status, libc::WNOHANG) };
            assert!(ended >= 0, "waitpid: {}", std::io::Error::last_os_error());
            if ended == self.id {
                break;
            }
            if self.start.elapsed() > time {
                // SAFETY: the child has not been waited for, so the number is still its own.
                unsafe {
                    libc::kill(self.id, libc::SIGKILL);
                    libc::waitpid(self.id, &raw mut status, 0);
                }
                panic!("the child of fork hung");
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        assert!(
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
            "the child of fork ended with status {status:#x}"
        );
    }
}

/// Does `act` on a thread of its own, and waits for its end; for children of fork.
///
/// Not by std: it takes a lock of its own at the start and end of its threads, which one of the
/// parent's may have held at the fork, and that lock has no handlers.
///
/// # Panics
/// When the OS has no thread left.
pub fn on_another_thread<F: FnOnce()>(act: F) {
    extern "C" fn start<F: FnOnce()>(act: *mut c_void) -> *mut c_void {
        // SAFETY: the box that on_another_thread() gave away.
        let act = unsafe { Box::from_raw(act.cast::<F>()) };
        act();
        ptr::null_mut()
    }
    let act = Box::into_raw(Box::new(act));
    // SAFETY: an integer.
    let mut thread: libc::pthread_t = unsafe { mem::zeroed() };
    // SAFETY: `thread` is valid for writes; `act` lives until the thread is joined below.
    let failed =
        unsafe { libc::pthread_create(&raw mut thread, ptr::null(), start::<F>, act.cast()) };
    assert_eq!(failed, 0);
    // SAFETY: joinable, and joined once.
    let failed = unsafe { libc::pthread_join(thread, ptr::null_mut()) };
    assert_eq!(failed, 0);
}
