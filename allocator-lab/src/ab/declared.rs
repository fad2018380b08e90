//! A declaration as a shared object: a crate of a few lines, which cargo builds.

use crate::corpus::digest;
use serde_json::Value;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How the crate's object is linked: as that of `examples/preload`.
const BUILD_SCRIPT: &str = include_str!("../../../examples/preload/build.rs");

/// The options of the attribute in a text: what is between its brackets, or the text itself if it is
/// nothing but options. `None` if it is neither.
#[must_use]
pub fn options(text: &str) -> Option<String> {
    const ATTRIBUTE: &str = "derive_allocator";
    let Some(at) = text.find(ATTRIBUTE) else {
        return text.contains('=').then(|| text.trim().to_owned());
    };
    let rest = text[at + ATTRIBUTE.len()..].trim_start();
    if !rest.starts_with('(') {
        return Some(String::new());
    }
    let (mut depth, mut in_string) = (0, false);
    for (at, character) in rest.char_indices() {
        match character {
            '"' => in_string = !in_string,
            '(' | '[' if !in_string => depth += 1,
            ')' | ']' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(rest[1..at].trim().to_owned());
        }
    }
    None
}

/// Builds the shared object of a declaration with these options, named after them; a second time it is
/// there already. A `file("…")` in them is looked for in `folder`.
///
/// # Errors
/// What went wrong, in a line; what the compiler has to say stands on standard error before it.
pub fn build(options: &str, folder: &Path) -> Result<PathBuf, String> {
    let source = source(options, folder);
    let name = format!("declared-{:016x}", digest(source.as_bytes()));
    let root = target().join("declared").join(&name);
    let write = || -> io::Result<()> {
        fs::create_dir_all(root.join("src"))?;
        put(&root.join("src/lib.rs"), &source)?;
        put(&root.join("Cargo.toml"), &manifest(&name))?;
        put(&root.join("build.rs"), BUILD_SCRIPT)?;
        // The same versions as here, and nothing to ask a registry for.
        let lock = root.join("Cargo.lock");
        if !lock.exists() {
            // Without one, cargo makes one.
            let _ = fs::copy(workspace().join("Cargo.lock"), lock);
        }
        Ok(())
    };
    write().map_err(|error| format!("cannot write '{}': {error}", root.display()))?;
    run_cargo(&root, &name)
}

/// The crate's only file. Lines after the options, which may end with a comment.
fn source(options: &str, folder: &Path) -> String {
    let export = match options.contains("export") {
        true => "",
        false => "export = malloc,\n",
    };
    let separator = match options.trim_end().ends_with(',') || options.trim().is_empty() {
        true => "",
        false => ",",
    };
    let options = with_absolute_file(options, folder);
    format!(
        "//! Made by `allocator-lab ab`.\n\n/// The process's `malloc`.\n\
         #[allocator_core::derive_allocator(\n{export}{options}{separator}\n)]\npub struct Declared;\n"
    )
}

/// The options, where `file("…")` names a file wherever the crate is.
fn with_absolute_file(options: &str, folder: &Path) -> String {
    let found = options.match_indices("file").find_map(|(at, word)| {
        let after = options[at + word.len()..].trim_start().strip_prefix('(')?;
        let (path, rest) = after.trim_start().strip_prefix('"')?.split_once('"')?;
        Some((&options[..at], path, rest))
    });
    match found {
        Some((before, path, rest)) => {
            let path = folder.join(path).display().to_string();
            format!("{before}file({path:?}{rest}")
        }
        None => options.to_owned(),
    }
}

fn manifest(name: &str) -> String {
    let core = workspace().join("allocator-core");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nallocator-core = {{ path = {:?} }}\n\n\
         [profile.release]\nlto = \"fat\"\ncodegen-units = 1\n\n[workspace]\n",
        core.display().to_string()
    )
}

/// Writes a file unless it is there, so that cargo finds it unchanged.
fn put(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text)
}

fn run_cargo(root: &Path, name: &str) -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(&cargo)
        .args(["build", "--release", "--quiet"])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        // Shared with this workspace, which has most of it built already.
        .arg("--target-dir")
        .arg(target())
        // What `cargo run` sets for this program is not meant for that crate.
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", cargo.display()))?;
    let name = name.replace('-', "_");
    let messages = String::from_utf8_lossy(&output.stdout);
    let object = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["reason"] == "compiler-artifact" && message["target"]["name"] == *name;
        let path = message["filenames"][0].as_str()?;
        is_it.then(|| PathBuf::from(path))
    });
    match object {
        Some(object) if output.status.success() => Ok(object),
        _ => Err(format!(
            "the declaration cannot be built (cargo: {})",
            output.status
        )),
    }
}

/// The workspace that this program is of.
fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Where what is built goes.
fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| workspace().join("target"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_an_attribute_and_by_themselves() {
        let found = |text| options(text);
        assert_eq!(
            found("preset = compact").as_deref(),
            Some("preset = compact")
        );
        assert_eq!(
            found("#[derive_allocator(\n  size_classes = [8, 16],\n)]\npub struct A;\nlive (MiB)")
                .as_deref(),
            Some("size_classes = [8, 16],")
        );
        assert_eq!(
            found("#[derive_allocator(size_classes = file(\"a).classes\"))] struct A;").as_deref(),
            Some("size_classes = file(\"a).classes\")")
        );
        assert_eq!(found("#[derive_allocator] struct A;").as_deref(), Some(""));
        assert_eq!(found("#[derive_allocator(preset = "), None);
        assert_eq!(found("compact"), None);
    }

    #[test]
    fn the_source_exports_once_and_finds_the_file() {
        let source = |options: &str| source(options, Path::new("/there"));
        assert!(source("").contains("(\nexport = malloc,\n\n)]"));
        let text = source("export = malloc, tls = pointer");
        assert!(
            text.contains("(\nexport = malloc, tls = pointer,\n)]"),
            "{text}"
        );
        for file in ["file(\"app.classes\")", "file ( \"app.classes\")"] {
            let options = format!("size_classes = {file},");
            let text = source(&options);
            assert!(
                text.contains("size_classes = file(\"/there/app.classes\"),\n)]"),
                "{text}"
            );
        }
    }
}
