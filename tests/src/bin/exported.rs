//! A program that brings its own `malloc`: the declared type serves Rust by layouts, and C by addresses.
//! Runs the scenario that its first argument names.

use allocator_core::derive_allocator;

/// Of both faces.
#[derive_allocator(export = malloc)]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

fn main() {
    allocator_tests::program::main(&allocator_tests::scenario::of_malloc());
}
