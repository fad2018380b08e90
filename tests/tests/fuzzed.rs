//! The fuzzers' corpus, replayed by the stable toolchain.

use std::fs;
use std::path::Path;

use allocator_tests::fuzzed;
use allocator_tests::process::alone;

/// Runs each file of a fuzzer's corpus.
fn replay(fuzzer: &str, run: fn(&[u8])) {
    let _alone = alone();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(fuzzer);
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        // Seen when the sequence fails.
        println!("{}", path.display());
        run(&fs::read(&path).expect("the file can be read"));
        files += 1;
    }
    assert!(files >= 20, "{folder:?} has {files} files");
}

#[test]
fn operation_streams_agree_with_the_model() {
    replay("operations", fuzzed::operations);
}

#[test]
fn so_they_do_while_calls_of_the_os_fail() {
    replay("faults", fuzzed::faults);
}
