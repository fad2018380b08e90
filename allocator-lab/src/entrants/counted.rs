//! The preset that is called `default`, counting its calls, and its atomics
//! when built with `--cfg allocator_count_atomics`. Its times mean nothing.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use allocator_lab::traffic::Counting;
use std::process::ExitCode;

/// What one gets without choosing.
#[derive_allocator]
struct Declared;

#[global_allocator]
static GLOBAL: Counting<Declared> = Counting(Declared);

fn main() -> ExitCode {
    entrant::main("default", Some(&Declared::CONFIG))
}
