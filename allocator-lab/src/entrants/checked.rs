//! An entrant of the race: the default with `hardening = checked`.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use std::process::ExitCode;

/// The default, looking for misuse.
#[derive_allocator(hardening = checked)]
struct Declared;

#[global_allocator]
static GLOBAL: Declared = Declared;

fn main() -> ExitCode {
    entrant::main("checked", Some(&Declared::CONFIG))
}
