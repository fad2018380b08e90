//! A program whose global allocator is a declared type: runs the scenario that its first argument
//! names.

use allocator_core::derive_allocator;

/// The default, looking for misuse with all that is in a level.
#[derive_allocator(hardening = guarded)]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

fn main() {
    allocator_tests::program::main(allocator_tests::scenario::SCENARIOS);
}
