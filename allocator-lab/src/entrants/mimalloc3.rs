//! An entrant of the race: mimalloc 3.

use allocator_lab::entrant;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    entrant::main("mimalloc3", None)
}
