//! An entrant of the race: the allocator of the C library.

use allocator_lab::entrant;
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: System = System;

fn main() -> ExitCode {
    entrant::main("System", None)
}
