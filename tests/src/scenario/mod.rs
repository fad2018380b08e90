//! What the helper programs do: each scenario uses whatever global allocator its program has, and
//! says by its exit status whether the claim held.

pub mod exits;
pub mod figures;
pub mod forks;
pub mod give_back;
pub mod late;
pub mod limits;
pub mod live;
pub mod threads;

use crate::program::Scenario;

/// All scenarios by name.
pub const SCENARIOS: &[Scenario] = &[
    ("churn", threads::churn),
    ("live_threads", threads::live_threads),
    ("key_destructors", threads::key_destructors),
    ("late_first_use", late::late_first_use),
    ("exit_with_threads", exits::exit_with_threads),
    ("atexit_allocates", exits::atexit_allocates),
    ("forks", forks::forks),
    ("producers", give_back::producers),
    ("freed", give_back::freed),
    ("freed_by_another", give_back::freed_by_another),
    ("serves_under_a_limit", limits::serves_under_a_limit),
    ("threads_under_a_limit", limits::threads_under_a_limit),
];
