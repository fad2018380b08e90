//! An entrant of the race: the preset that is called `compact`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// The preset `compact`.
#[derive_allocator(preset = compact)]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("compact", Some(&Declared::CONFIG))
}
