//! An entrant of the race: rpmalloc.

use allocator_lab::entrant;
use rpmalloc::RpMalloc;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: RpMalloc = RpMalloc;

fn main() -> ExitCode {
    entrant::main("rpmalloc", None)
}
