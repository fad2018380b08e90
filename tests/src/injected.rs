//! Faults of the OS for the time of a value's life, so that a test that fails leaves none behind.

use allocator_core::os::{Call, fault};

/// The calls of the OS's face that any type makes.
pub const CALLS: [Call; 7] = [
    Call::Map,
    Call::Unmap,
    Call::Purge,
    Call::Advise,
    Call::Remap,
    Call::Barrier,
    Call::ThreadEnd,
];

/// Those of them after whose refusal nothing stays lost: all but `munmap`.
pub const CALLS_WITHOUT_LOSS: [Call; 6] = [
    Call::Map,
    Call::Purge,
    Call::Advise,
    Call::Remap,
    Call::Barrier,
    Call::ThreadEnd,
];

/// The calls that only types with guards make, or those that clear.
pub const GUARD_CALLS: [Call; 4] = [Call::Guard, Call::Unguard, Call::Protect, Call::Residence];

/// Ends all faults when dropped.
#[must_use]
pub struct Injected(());

impl Drop for Injected {
    fn drop(&mut self) {
        fault::reset();
    }
}

/// The `n`-th call from now on fails.
pub fn one_failure(call: Call, n: u64) -> Injected {
    fault::fail(call, n, 1);
    Injected(())
}

/// All calls fail.
pub fn failures(call: Call) -> Injected {
    fault::fail(call, 0, u64::MAX);
    Injected(())
}

/// The next call parks its thread.
pub fn parking(call: Call) -> Injected {
    fault::park(call, 0);
    Injected(())
}
