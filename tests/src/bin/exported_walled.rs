//! A program that brings its own `malloc`, with guards and a quarantine. Runs the scenario that its first argument names.

use allocator_core::derive_allocator;

/// Of both faces.
#[derive_allocator(export = malloc, hardening(guards, isolate, quarantine = 64KiB))]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

fn main() {
    allocator_tests::program::main(&allocator_tests::scenario::of_malloc());
}
