//! An entrant of the race: mimalloc 2.

use allocator_lab::entrant;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    entrant::main("mimalloc2", None)
}
