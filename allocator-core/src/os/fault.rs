//! Faults on demand, for tests: any call of the OS face can be made to fail on
//! its n-th call, from its n-th call on, or to park the calling thread.
//!
//! Only with the feature `fault-injection`; counts are per process.

use core::sync::atomic::{AtomicU64, Ordering};

pub use super::Call;

/// The last call is `ThreadEnd`.
const CALLS: usize = Call::ThreadEnd as usize + 1;
/// Plan: nothing happens.
const NONE: u64 = u64::MAX;

struct Plan {
    /// Calls so far.
    made: AtomicU64,
    /// First call (counted from 0) that fails.
    fail_from: AtomicU64,
    /// First call after those that succeeds again.
    fail_until: AtomicU64,
    /// The call that parks.
    park_at: AtomicU64,
    /// 1 while a thread is parked.
    parked: AtomicU64,
}

static PLANS: [Plan; CALLS] = [const {
    Plan {
        made: AtomicU64::new(0),
        fail_from: AtomicU64::new(NONE),
        fail_until: AtomicU64::new(NONE),
        park_at: AtomicU64::new(NONE),
        parked: AtomicU64::new(0),
    }
}; CALLS];

fn plan(call: Call) -> &'static Plan {
    &PLANS[call as usize]
}

// SeqCst throughout: a test harness, where being easy to reason about is all that counts.

/// Lets the `n`-th call from now on (counted from 0) fail, and `count` in all.
pub fn fail(call: Call, n: u64, count: u64) {
    let plan = plan(call);
    let from = plan.made.load(Ordering::SeqCst).saturating_add(n);
    plan.fail_until
        .store(from.saturating_add(count), Ordering::SeqCst);
    plan.fail_from.store(from, Ordering::SeqCst);
}

/// Parks the thread that makes the `n`-th call from now on until [`reset`].
pub fn park(call: Call, n: u64) {
    let plan = plan(call);
    plan.park_at
        .store(plan.made.load(Ordering::SeqCst) + n, Ordering::SeqCst);
}

/// Whether a thread is parked in this call.
#[must_use]
pub fn is_parked(call: Call) -> bool {
    plan(call).parked.load(Ordering::SeqCst) != 0
}

/// Calls made so far, failed ones included.
#[must_use]
pub fn calls(call: Call) -> u64 {
    plan(call).made.load(Ordering::SeqCst)
}

/// Ends all faults and wakes parked threads.
pub fn reset() {
    for plan in &PLANS {
        plan.fail_from.store(NONE, Ordering::SeqCst);
        plan.fail_until.store(NONE, Ordering::SeqCst);
        plan.park_at.store(NONE, Ordering::SeqCst);
    }
}

pub(super) fn permitted(call: Call) -> bool {
    let plan = plan(call);
    let number = plan.made.fetch_add(1, Ordering::SeqCst);
    if plan.park_at.load(Ordering::SeqCst) == number {
        plan.parked.store(1, Ordering::SeqCst);
        while plan.park_at.load(Ordering::SeqCst) == number {
            // SAFETY: usleep has no preconditions.
            unsafe { libc::usleep(500) };
        }
        plan.parked.store(0, Ordering::SeqCst);
    }
    !(plan.fail_from.load(Ordering::SeqCst)..plan.fail_until.load(Ordering::SeqCst))
        .contains(&number)
}
