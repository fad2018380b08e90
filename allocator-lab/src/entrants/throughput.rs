//! An entrant of the race: the preset that is called `throughput`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// The preset `throughput`.
#[derive_allocator(preset = throughput)]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("throughput", Some(&Declared::CONFIG))
}
