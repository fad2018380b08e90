//! A lock for sections of a few hundred instructions that make no OS call.
//!
//! It never allocates, and it can be held across a fork: the handlers take
//! every lock before the fork and let go of it on both sides. Between the two
//! the forking thread holds them all, so for that thread, which may run other
//! handlers that allocate, taking and letting go are nothing.

use super::sync::{AtomicBool, Ordering};
use super::wait::wait_a_little;

pub(crate) struct Lock {
    held: AtomicBool,
}

impl Lock {
    pub(crate) const fn new() -> Self {
        Self {
            held: AtomicBool::new(false),
        }
    }

    /// Whether this call took the lock.
    pub(crate) fn try_acquire(&self) -> bool {
        // Acquire: pairs with the Release in release(), so that the last holder's writes are seen.
        // Relaxed on failure: nothing is done.
        forking::is_by_this_thread()
            || self
                .held
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
    }

    /// Waits until the lock is taken.
    pub(crate) fn acquire(&self) {
        let mut rounds = 0;
        while !self.try_acquire() {
            // Relaxed: only to wait without writing; try_acquire() synchronises.
            while self.held.load(Ordering::Relaxed) {
                wait_a_little(&mut rounds);
            }
        }
    }

    /// Lets go of the lock, which the caller holds.
    pub(crate) fn release(&self) {
        if !forking::is_by_this_thread() {
            // Release: pairs with the Acquire in try_acquire().
            self.held.store(false, Ordering::Release);
        }
    }
}

/// Which thread is forking and holds every lock.
#[cfg(not(loom))]
pub(crate) mod forking {
    use crate::base::sync::{AtomicUsize, Ordering};

    /// A number of the forking thread; 0: none is.
    static FORKER: AtomicUsize = AtomicUsize::new(0);

    /// A number that no other live thread has.
    fn this_thread() -> usize {
        // SAFETY: pthread_self has no preconditions.
        unsafe { libc::pthread_self() as usize }
    }

    /// The calling thread holds every lock from now on.
    pub(crate) fn begin() {
        // Relaxed: only this thread compares equal.
        FORKER.store(this_thread(), Ordering::Relaxed);
    }

    /// It lets go of them next.
    pub(crate) fn end() {
        // Relaxed: as in begin().
        FORKER.store(0, Ordering::Relaxed);
    }

    /// Whether the calling thread is between begin() and end().
    pub(crate) fn is_by_this_thread() -> bool {
        // Relaxed: as in begin().
        let forker = FORKER.load(Ordering::Relaxed);
        forker != 0 && forker == this_thread()
    }
}

/// In a model nobody forks.
#[cfg(loom)]
pub(crate) mod forking {
    pub(crate) fn begin() {}

    pub(crate) fn end() {}

    pub(crate) fn is_by_this_thread() -> bool {
        false
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use super::*;

    /// Has the calling thread run on the first core that the process may use, before what has less
    /// `priority`; false when the OS does not let it.
    fn runs_first(priority: i32) -> bool {
        let parameter = libc::sched_param {
            sched_priority: priority,
        };
        // SAFETY: sets of cores are numbers, and each pointer is valid for what is read or written.
        unsafe {
            let mut cores: libc::cpu_set_t = core::mem::zeroed();
            let bytes = size_of_val(&cores);
            libc::sched_getaffinity(0, bytes, &raw mut cores);
            let first = (0..libc::CPU_SETSIZE as usize).find(|core| libc::CPU_ISSET(*core, &cores));
            let mut one: libc::cpu_set_t = core::mem::zeroed();
            libc::CPU_SET(first.unwrap_or(0), &mut one);
            libc::sched_setaffinity(0, bytes, &raw const one) == 0
                && libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameter) == 0
        }
    }

    #[test]
    fn who_waits_lets_a_holder_of_less_priority_go_on() {
        let lock = Arc::new(Lock::new());
        let (done, is_done) = channel();
        let hold = |lock: Arc<Lock>, done: Sender<bool>| {
            if !runs_first(1) {
                return done.send(false);
            }
            let (begin, is_begun) = channel();
            let (others, others_done) = (lock.clone(), done.clone());
            let waiter = std::thread::spawn(move || {
                let may = runs_first(2) && is_begun.recv().is_ok();
                others.acquire();
                others.release();
                others_done.send(may)
            });
            // Until the waiter waits to begin.
            std::thread::sleep(Duration::from_millis(50));
            lock.acquire();
            // It takes the core from here on, and wants the lock.
            begin.send(()).expect("the waiter waits");
            lock.release();
            waiter.join().expect("the waiter ends")
        };
        std::thread::spawn(move || hold(lock, done));
        match is_done.recv_timeout(Duration::from_secs(20)) {
            Ok(true) => {}
            Ok(false) => println!("left out: no real-time priorities here"),
            Err(_) => panic!("the waiter keeps the core, and the holder the lock"),
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::rc::Rc;

    use super::*;
    use crate::base::modelled::{Cell, model, together};

    #[test]
    fn one_at_a_time_and_each_sees_what_the_one_before_wrote() {
        model(|| {
            let state = Rc::new((Lock::new(), Cell::new(0)));
            let body = || {
                let state = state.clone();
                Box::new(move || {
                    state.0.acquire();
                    state.1.set(state.1.get() + 1);
                    state.0.release();
                }) as Box<dyn FnOnce()>
            };
            together([body(), body()]);
            assert_eq!(state.1.get(), 2);
        });
    }
}
