//! Has cargo build the executables of the entrants.

use super::entrants::{Entrant, Feature};
use serde_json::Value;
use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the executables are, by name.
pub type Executables = HashMap<String, PathBuf>;

/// The package whose shared objects go under any program, and its default.
const PRELOAD: &str = "preload";

/// What was built last, for whoever watches.
pub struct Built<'a> {
    /// A crate or an executable.
    pub name: &'a str,
    /// How much of all is done, from 0 to 1.
    pub done: f64,
}

/// Builds what these entrants need, in as few builds as there are sets of
/// features that exclude each other.
///
/// # Errors
/// A sentence, if any of them cannot be built; cargo has said why on standard error.
pub fn build(entrants: &[&Entrant], mut watch: impl FnMut(Built)) -> Result<Executables, String> {
    let mut executables = Executables::new();
    let mut all: Vec<&str> = entrants.iter().map(|entrant| entrant.executable).collect();
    all.dedup();
    let mut watch = |name: &str, executables: &Executables| {
        let done = executables.len() as f64 / all.len() as f64;
        watch(Built { name, done });
    };
    for features in builds(entrants) {
        let is_in = |entrant: &&&Entrant| build_of(entrant.feature) == features;
        let mut names: Vec<&str> = entrants
            .iter()
            .filter(is_in)
            .map(|entrant| entrant.executable)
            .collect();
        names.dedup();
        run_cargo(features, &names, &mut executables, &mut watch)?;
    }
    Ok(executables)
}

/// The feature that an entrant is built with. That of this program itself
/// where it will do: then the library is not built twice.
fn build_of(feature: Feature) -> Feature {
    match feature {
        Feature::Entrants if Feature::Peers.is_on() => Feature::Peers,
        other => other,
    }
}

/// The builds that are needed, each once.
fn builds(entrants: &[&Entrant]) -> Vec<Feature> {
    let mut builds = Vec::new();
    for entrant in entrants {
        let build = build_of(entrant.feature);
        if !builds.contains(&build) {
            builds.push(build);
        }
    }
    builds
}

fn run_cargo(
    feature: Feature,
    names: &[&str],
    executables: &mut Executables,
    watch: &mut impl FnMut(&str, &Executables),
) -> Result<(), String> {
    let mut command = cargo_build(feature, names);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", command.get_program().display()))?;
    let messages = child.stdout.take().expect("standard output is piped");
    for line in BufReader::new(messages).lines().map_while(Result::ok) {
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        let Some(target) = message["target"]["name"].as_str() else {
            continue;
        };
        let object = message["filenames"][0]
            .as_str()
            .filter(|_| names.contains(&target));
        if let Some(path) = message["executable"].as_str().or(object) {
            executables.insert(target.to_owned(), PathBuf::from(path));
        }
        watch(target, executables);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !executables.contains_key(*name))
        .collect();
    if status.success() && missing.is_empty() {
        Ok(())
    } else {
        let missing = missing.join(", ");
        Err(format!(
            "cannot build {missing} (cargo: {status}); leave it out with --entrants"
        ))
    }
}

/// The call of cargo that builds these, and says where it put them.
fn cargo_build(feature: Feature, names: &[&str]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--release",
            "--quiet",
            "--message-format=json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(manifest());
    match feature.name() {
        Some(feature) => {
            command.args(["--package", env!("CARGO_PKG_NAME"), "--features", feature]);
            command.args(names.iter().flat_map(|name| ["--bin", name]));
        }
        None => {
            command.args(["--package", PRELOAD]);
            for &name in names {
                match name {
                    PRELOAD => command.arg("--lib"),
                    preset => command.args(["--example", preset]),
                };
            }
        }
    }
    if feature == Feature::Counting {
        // Cargo keeps what is built with other flags apart, so neither build undoes the other.
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        command.env(
            "RUSTFLAGS",
            format!("{flags} --cfg allocator_count_atomics"),
        );
    }
    command
}

/// The manifest of this package: of the workspace that `cargo run` was called in, if it was.
fn manifest() -> PathBuf {
    let folder = env::var_os("CARGO_MANIFEST_DIR");
    let folder = folder.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    folder.join("Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::entrants::ENTRANTS;

    #[test]
    fn ours_are_one_build_and_another_version_of_a_peer_is_one_of_its_own() {
        let all: Vec<&Entrant> = ENTRANTS.iter().collect();
        let ours: Vec<&Entrant> = all
            .iter()
            .copied()
            .filter(|it| it.package.is_none())
            .collect();
        assert_eq!(builds(&ours).len(), 1);
        let builds = builds(&all);
        assert_eq!(
            builds
                .iter()
                .filter(|it| **it == Feature::MimallocV2)
                .count(),
            1
        );
        assert!(builds.contains(&Feature::Peers) && builds.len() <= 3);
    }
}
