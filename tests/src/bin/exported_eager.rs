//! A program that brings its own `malloc`, which calls the OS wherever it can. Runs the scenario that its first
//! argument names.

use allocator_core::derive_allocator;
use allocator_tests::program;
use allocator_tests::scenario::of_malloc;

/// Of C alone.
#[derive_allocator(export = malloc, purge = now, thp = always)]
struct Malloc;

fn main() {
    program::main(&of_malloc());
}
