//! The process group of a run: nothing of it is left when the run ends, when it has taken too long, or when this
//! program is told to end.

use std::mem;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Groups at one time that end with this program: a server and who asks it are two.
const MOST: usize = 8;

/// The leaders of groups that run; 0 is none.
static LEADERS: [AtomicI32; MOST] = [const { AtomicI32::new(0) }; MOST];

/// Signals that end this program, and the groups before it.
const ENDING: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// A group that runs.
#[derive(Debug)]
pub struct Group {
    leader: libc::pid_t,
    /// Ends the group after its time, unless the sender is dropped before; whether it did.
    watchdog: JoinHandle<bool>,
    in_time: Sender<()>,
}

impl Group {
    /// Takes care of the group that `leader`, a child of this process that nobody has waited for, was made the leader of.
    #[must_use]
    pub fn of(leader: libc::pid_t, timeout: Duration) -> Self {
        heed_signals();
        for place in &LEADERS {
            // Relaxed: a handler in this process needs the number, and nothing else.
            let taken = place.compare_exchange(0, leader, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() {
                break;
            }
        }
        let (in_time, end) = channel();
        let watchdog = thread::spawn(move || {
            let is_late = end.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
            if is_late {
                kill(leader);
            }
            is_late
        });
        Self {
            leader,
            watchdog,
            in_time,
        }
    }

    /// Waits until the leader has ended, does not reap it, and ends what is left of the group. Whether it took too long.
    ///
    /// # Errors
    /// Why it cannot be waited for, in half a line.
    pub fn end(self) -> Result<bool, String> {
        let ended = wait_for(self.leader);
        drop(self.in_time);
        let was_late = self.watchdog.join().unwrap_or(false);
        // Until it is reaped, no other has its number.
        kill(self.leader);
        for place in &LEADERS {
            // Relaxed: as above.
            let _ = place.compare_exchange(self.leader, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
        ended.map(|()| was_late)
    }
}

/// Waits until a child has ended, without reaping it.
fn wait_for(child: libc::pid_t) -> Result<(), String> {
    loop {
        // SAFETY: a `siginfo_t` is plain data, for which zero is a value.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        let how = libc::WEXITED | libc::WNOWAIT;
        // SAFETY: valid for writes.
        if unsafe { libc::waitid(libc::P_PID, child as libc::id_t, &raw mut info, how) } == 0 {
            return Ok(());
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("cannot be waited for: {error}"));
        }
    }
}

/// Ends a group, if there is one; in a signal handler, too.
fn kill(leader: libc::pid_t) {
    // SAFETY: sends a signal, nothing else, to a group of this program's making.
    unsafe { libc::kill(-leader, libc::SIGKILL) };
}

/// From now on, signals that end this program end the groups before it. A program that was told to ignore one goes on doing so.
fn heed_signals() {
    static HEEDED: Once = Once::new();
    HEEDED.call_once(|| {
        for signal in ENDING {
            // SAFETY: plain data, for which zero is a value; the handler makes only calls that a handler may make.
            unsafe {
                let mut action: libc::sigaction = mem::zeroed();
                libc::sigaction(signal, ptr::null(), &raw mut action);
                if action.sa_sigaction == libc::SIG_IGN {
                    continue;
                }
                action.sa_sigaction = end_all as *const () as libc::sighandler_t;
                // The second signal is for this program, as if there were no handler.
                action.sa_flags = libc::SA_RESETHAND;
                libc::sigaction(signal, &raw const action, ptr::null_mut());
            }
        }
    });
}

extern "C" fn end_all(signal: i32) {
    for place in &LEADERS {
        // Relaxed: as above.
        match place.load(Ordering::Relaxed) {
            0 => {}
            leader => kill(leader),
        }
    }
    // SAFETY: sends a signal to this thread, which gets it when this function has returned.
    unsafe { libc::raise(signal) };
}
