//! A program that brings its own `malloc`, which samples many of its blocks. Runs the scenario that its
//! first argument names.

use allocator_core::derive_allocator;

/// Of both faces.
#[derive_allocator(export = malloc, hardening(guards, sample = 16), stats = counters)]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

fn main() {
    let before = Global::stats().sampled;
    allocator_tests::program::main(&allocator_tests::scenario::of_malloc());
    // Of the tests' own blocks some were sampled, if not of the scenario's.
    assert!(Global::stats().sampled > before || before > 0);
}
