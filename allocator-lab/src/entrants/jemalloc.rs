//! An entrant of the race: jemalloc.

use allocator_lab::entrant;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static GLOBAL: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    entrant::main("jemalloc", None)
}
