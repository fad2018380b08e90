//! An entrant of the race: the preset that is called `seed`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// The preset `seed`.
#[derive_allocator(preset = seed)]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("seed", Some(&Declared::CONFIG))
}
