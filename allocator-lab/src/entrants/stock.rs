//! An entrant of the race: the preset that is called `stock`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// The preset `stock`.
#[derive_allocator(preset = stock)]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("stock", Some(&Declared::CONFIG))
}
