//! Children of fork: the calling thread goes on alone in a copy of the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// A child that takes longer hangs: it has a few milliseconds' work to do.
const HANG: Duration = Duration::from_secs(3);

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
        let mut status = 0;
        loop {
            // SAFETY: `status` is valid for writes.
            let ended = unsafe { libc::waitpid(self.id, &raw mut status, libc::WNOHANG) };
            assert!(ended >= 0, "waitpid: {}", std::io::Error::last_os_error());
            if ended == self.id {
                break;
            }
            if self.start.elapsed() > HANG {
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
