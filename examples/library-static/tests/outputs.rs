//! Runs the binary: in a release build, the compiler removes the vectors that
//! nothing needs, because the static is in another crate.

use std::process::Command;

#[test]
fn a_release_build_allocates_none_of_the_vectors() {
    let binary = env!("CARGO_BIN_EXE_library-static");
    let output = Command::new(binary)
        .output()
        .expect("the example can be run");
    let printed = String::from_utf8(output.stdout).expect("examples print text");
    let allocated = if cfg!(debug_assertions) { 1000 } else { 0 };
    assert_eq!(
        printed,
        format!("sum 9000: {allocated} of 1000 vectors were allocated\n")
    );
}
