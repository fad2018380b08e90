//! An entrant of the race: mimalloc 3.

use allocator_lab::entrant;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: MiMalloc = MiMalloc;

/// What it is, even in a build with all features: the race notices a wrong one.
const NAME: &str = if cfg!(feature = "mimalloc-v2") {
    "mimalloc2"
} else {
    "mimalloc3"
};

fn main() -> ExitCode {
    entrant::main(NAME, None)
}
