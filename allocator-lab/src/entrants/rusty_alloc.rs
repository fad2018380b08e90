//! An entrant of the race: rusty_alloc.

use allocator_lab::entrant;
use rusty_alloc_api::RustyAlloc;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: RustyAlloc = RustyAlloc;

fn main() -> ExitCode {
    entrant::main("rusty_alloc", None)
}
