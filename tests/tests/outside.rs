//! A crate that is not of this workspace uses the allocator as anybody would:
//! by its path, with a manifest of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

/// A folder outside the workspace, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("allocator-outside-{}", process::id()));
        fs::create_dir_all(path.join("src")).expect("the folder for temporary files is writable");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_crate_outside_the_workspace_runs_six_allocators() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = tests.parent().expect("the tests are in the workspace");
    let folder = Folder::new();
    let copy = |from: PathBuf, to: &str| {
        fs::copy(&from, folder.0.join(to)).unwrap_or_else(|error| panic!("{from:?}: {error}"));
    };
    copy(tests.join("outside/main.rs"), "src/main.rs");
    copy(tests.join("outside/app.classes"), "app.classes");
    // The same versions as here: they are on the machine already.
    copy(workspace.join("Cargo.lock"), "Cargo.lock");
    let core = workspace.join("allocator-core");
    let manifest = format!(
        "[package]\nname = \"outside\"\nedition = \"2024\"\n\n\
         [dependencies]\nallocator-core = {{ path = {core:?} }}\n\n\
         [profile.release]\nlto = \"thin\"\n"
    );
    fs::write(folder.0.join("Cargo.toml"), manifest).expect("the folder is writable");

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--offline", "--quiet"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // Built once, found the next time.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
    cargo.current_dir(&folder.0).env("CARGO_TARGET_DIR", target);
    let output = cargo.output().expect("cargo can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);

    let printed = String::from_utf8_lossy(&output.stdout);
    let mut fingerprints = Vec::new();
    for (line, name) in printed.lines().zip(ALLOCATORS) {
        let operations = format!("{name}: 80000 operations, ");
        let fingerprint = line.strip_prefix(&operations);
        fingerprints.push(
            fingerprint
                .unwrap_or_else(|| panic!("{printed}"))
                .to_owned(),
        );
    }
    assert_eq!(printed.lines().count(), ALLOCATORS.len(), "{printed}");
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(
        fingerprints.len(),
        ALLOCATORS.len(),
        "two of them are the same: {printed}"
    );
}

/// Those that the program declares.
const ALLOCATORS: [&str; 6] = [
    "Plain",
    "Compact",
    "Listed",
    "Filed",
    "Geometric",
    "Explicit",
];
