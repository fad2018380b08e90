//! An entrant of the race: snmalloc.

use allocator_lab::entrant;
use snmalloc_rs::SnMalloc;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: SnMalloc = SnMalloc;

fn main() -> ExitCode {
    entrant::main("snmalloc", None)
}
