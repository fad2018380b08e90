//! A test that runs again as a process of its own: for what ends the process.

use std::process::{Command, Output};

/// Set for the process that a test starts of itself.
const ROLE: &str = "ALLOCATOR_TESTS_CHILD";

/// Whether this is the process that the test `name` started of itself.
#[must_use]
pub fn is_child_of(name: &str) -> bool {
    std::env::var(ROLE).is_ok_and(|role| role == name)
}

/// Runs the test `name`, in which this is called, in a process of its own.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run_again(name: &str) -> Output {
    Command::new(std::env::current_exe().expect("a test binary"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ROLE, name)
        .output()
        .expect("the test binary starts")
}
