//! An entrant of the race: the preset that is called `default`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// What one gets without choosing.
#[derive_allocator]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("default", Some(&Declared::CONFIG))
}
