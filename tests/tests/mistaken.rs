//! The corpus of the fuzzer `mistake`, replayed by the stable toolchain. By itself, so that no other test runs
//! when it forks.

use std::fs;
use std::path::Path;

use allocator_tests::mistaken;

#[test]
fn the_one_mistake_is_reported_as_what_it_is_and_where() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/mistake");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        // Seen when the sequence fails.
        println!("{}", path.display());
        mistaken::mistake(&fs::read(&path).expect("the file can be read"));
        files += 1;
    }
    assert!(files >= 20, "{folder:?} has {files} files");
}
