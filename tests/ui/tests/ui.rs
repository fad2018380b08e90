//! What compiles and what does not, and what the compiler says then.
//!
//! One declaration per file; the file's name is the mistake. After a change of
//! a message, `TRYBUILD=overwrite cargo test -p allocator-ui` writes the texts anew:
//! read each of them.

use std::fs;
use std::path::Path;

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the cases compile alike however this test does"
)]
fn declarations_compile_or_say_why_not() {
    share_class_files();
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*/*.rs");
}

/// Puts the class files where `file("…")` looks for them: trybuild compiles the
/// cases in a crate of its own, whose root is below the target folder.
fn share_class_files() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp is below target");
    let root = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"));
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("classes");
    let to = root.join("classes");
    fs::create_dir_all(&to).expect("the target folder can be written");
    for file in fs::read_dir(from).expect("the class files are there") {
        let file = file.expect("the folder can be read");
        fs::copy(file.path(), to.join(file.file_name())).expect("the target folder can be written");
    }
}
