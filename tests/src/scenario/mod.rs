//! What the helper programs do: each scenario uses whatever global allocator its program has, and
//! says by its exit status whether the claim held.

pub mod c_calls;
pub mod c_faults;
pub mod c_guards;
pub mod c_huge;
pub mod c_last_bytes;
pub mod c_threads;
pub mod exits;
pub mod figures;
pub mod forks;
pub mod give_back;
pub mod injected_faults;
pub mod late;
pub mod limits;
pub mod live;
pub mod of_faces;
pub mod parked;
pub mod threads;

use crate::face::{Face, OfC};
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
    ("c_huge", c_huge::come_and_go),
    ("c_huge_in_parts", c_huge::in_parts),
    ("c_foreign", c_calls::foreign),
    ("c_extremes", c_calls::extremes),
    ("c_first_acts", c_threads::first_acts),
    #[cfg(target_arch = "x86_64")]
    ("c_maps_fail", c_faults::maps_fail),
    #[cfg(target_arch = "x86_64")]
    ("c_other_calls_fail", c_faults::other_calls_fail),
    ("c_zero_sized", c_guards::zero_sized),
    ("c_overflows", c_guards::overflows),
    ("c_sampled", c_guards::sampled),
    ("c_last_bytes", c_last_bytes::stay),
    ("c_usable_suffices", c_last_bytes::suffice),
    ("c_shrinks_without_memory", c_last_bytes::need_no_memory),
    ("c_random", c_calls::random),
    ("c_signals", c_calls::signals),
    ("c_loaded", c_calls::loaded),
    ("c_plugin", c_calls::plugin),
];

/// Scenarios that a program with the type in it has by a face of its, by name.
#[must_use]
pub fn of_face<F: Face>() -> [Scenario; 8] {
    [
        ("extremes", of_faces::extremes::<F>),
        ("first_acts", of_faces::first_acts::<F>),
        ("signals", of_faces::signals::<F>),
        ("only_frees", of_faces::only_frees::<F>),
        ("forks_while_parked", parked::forks_while_parked::<F>),
        ("each_map_fails", injected_faults::each_map_fails::<F>),
        ("calls_fail", injected_faults::calls_fail::<F>),
        ("out_of_memory", injected_faults::out_of_memory::<F>),
    ]
}

/// All scenarios of a program that brings its own `malloc`.
#[must_use]
pub fn of_malloc() -> Vec<Scenario> {
    SCENARIOS.iter().copied().chain(of_face::<OfC>()).collect()
}
