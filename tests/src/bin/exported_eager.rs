//! A program that brings its own `malloc`, which calls the OS wherever it can. Without an argument, calls of the OS
//! fail in it; with arguments it runs the scenario that the first one names.

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::injected::CALLS;
use allocator_tests::program;
use allocator_tests::scenario::SCENARIOS;
use allocator_tests::scenario::c_faults::load;

/// Of C alone.
#[derive_allocator(export = malloc, purge = now, thp = always)]
struct Malloc;

fn calls_fail() {
    for (seed, call) in (0..).zip(CALLS) {
        for k in 0..20 {
            fault::fail(call, k, 1);
            let _ = load(seed);
            fault::reset();
        }
        fault::fail(call, 0, u64::MAX);
        let refused = load(seed);
        fault::reset();
        assert!(call != Call::Map || refused > 0, "nothing was refused");
    }
    assert_eq!(load(7), 0, "everything is served afterwards");
}

fn main() {
    match std::env::args().count() {
        1 => calls_fail(),
        _ => program::main(SCENARIOS),
    }
}
