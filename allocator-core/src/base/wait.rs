//! Waiting for a thread that is about to be done: first without leaving the core, then by giving it the
//! core, then asleep.

#[cfg(not(loom))]
use core::ptr;

/// Looks at what another thread is to do before that thread is given the core.
#[cfg(not(loom))]
const LOOKS: u32 = 64;
/// Times that it is given the core before this thread sleeps: if that one has less priority, it cannot
/// have the core otherwise.
#[cfg(not(loom))]
const YIELDS: u32 = 256;

/// Lets another thread run while this one waits for it.
pub(crate) fn wait_a_little(rounds: &mut u32) {
    #[cfg(loom)]
    {
        let _ = rounds;
        loom::thread::yield_now();
    }
    #[cfg(not(loom))]
    {
        *rounds = rounds.saturating_add(1);
        if *rounds < LOOKS {
            core::hint::spin_loop();
        } else if *rounds < LOOKS + YIELDS {
            // SAFETY: sched_yield has no preconditions.
            unsafe { libc::sched_yield() };
        } else {
            sleep_a_little();
        }
    }
}

#[cfg(not(loom))]
#[cold]
fn sleep_a_little() {
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 50_000,
    };
    // SAFETY: `time` is valid for reads; the call, unlike `nanosleep`, is no cancellation point.
    unsafe { libc::syscall(libc::SYS_nanosleep, &raw const time, ptr::null::<u8>()) };
}
