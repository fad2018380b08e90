//! What the helper programs do: each scenario uses whatever global allocator its program has, and
//! says by its exit status whether the claim held.

pub mod c_calls;
pub mod c_faults;
pub mod c_guards;
pub mod c_threads;
pub mod exits;
pub mod figures;
pub mod forks;
pub mod give_back;
pub mod late;
pub mod limits;
pub mod live;
pub mod parked;
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
    ("forks_together", forks::forks_together),
    ("forks_while_parked", parked::forks_while_parked),
    ("producers", give_back::producers),
    ("freed", give_back::freed),
    ("freed_by_another", give_back::freed_by_another),
    ("purge_storm", give_back::purge_storm),
    ("serves_under_a_limit", limits::serves_under_a_limit),
    ("threads_under_a_limit", limits::threads_under_a_limit),
    ("mappings_used_up", limits::mappings_used_up),
    ("c_corners", c_calls::corners),
    ("c_alignments", c_calls::alignments),
    ("c_growth", c_calls::growth),
    ("c_huge", c_calls::huge),
    ("c_foreign", c_calls::foreign),
    ("c_extremes", c_calls::extremes),
    ("c_first_acts", c_threads::first_acts),
    ("c_only_frees", c_threads::only_frees),
    #[cfg(target_arch = "x86_64")]
    ("c_maps_fail", c_faults::maps_fail),
    #[cfg(target_arch = "x86_64")]
    ("c_other_calls_fail", c_faults::other_calls_fail),
    ("c_zero_sized", c_guards::zero_sized),
    ("c_overflows", c_guards::overflows),
    ("c_sampled", c_guards::sampled),
    ("c_random", c_calls::random),
    ("c_signals", c_calls::signals),
    ("c_loaded", c_calls::loaded),
    ("c_plugin", c_calls::plugin),
];
