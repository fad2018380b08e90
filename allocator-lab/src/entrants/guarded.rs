//! An entrant of the race: the default with `hardening = guarded`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// The default, looking for misuse with all that is in a level.
#[derive_allocator(hardening = guarded)]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("guarded", Some(&Declared::CONFIG))
}
