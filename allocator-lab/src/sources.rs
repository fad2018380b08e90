//! Finds the Rust sources that this workspace and its dependencies consist of.
//!
//! Dependencies are the packages named in `Cargo.lock`, where cargo unpacked
//! them: `$CARGO_HOME/registry/src/*/<name>-<version>`. What was never
//! downloaded (a dependency of another platform) is not there and is left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A package's folder.
#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    /// `name-version`, or the folder's name in the workspace.
    pub name: String,
    /// Where its files are.
    pub folder: PathBuf,
}

/// The packages found.
#[derive(Debug)]
pub struct Packages {
    /// The workspace first, then the dependencies by name.
    pub all: Vec<Package>,
    /// Whether any dependency was found.
    pub with_dependencies: bool,
}

/// Finds the workspace and what it depends on. `None` if not even the workspace is there.
#[must_use]
pub fn find() -> Option<Packages> {
    let workspace = workspace()?;
    let lock = fs::read_to_string(workspace.join("Cargo.lock")).unwrap_or_default();
    let dependencies = unpacked(&locked(&lock), &registries());
    let with_dependencies = !dependencies.is_empty();
    let own = Package {
        name: "workspace".to_owned(),
        folder: workspace,
    };
    let all = std::iter::once(own).chain(dependencies).collect();
    Some(Packages {
        all,
        with_dependencies,
    })
}

/// `name-version` of the package of that name in the workspace's `Cargo.lock`, if it is there.
#[must_use]
pub fn locked_package(name: &str) -> Option<String> {
    let lock = fs::read_to_string(workspace()?.join("Cargo.lock")).ok()?;
    let is_version = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    let of_name = |package: &String| {
        let rest = package
            .strip_prefix(name)
            .and_then(|it| it.strip_prefix('-'));
        rest.is_some_and(is_version)
    };
    locked(&lock).into_iter().find(of_name)
}

/// All `.rs` files below a folder, by path. Leaves out `target`, hidden
/// folders and links, and what cannot be read.
#[must_use]
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let path = entry.path();
            let name = entry.file_name();
            if kind.is_dir() && name != "target" && !name.as_encoded_bytes().starts_with(b".") {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs")
            {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    found
}

/// The folder of the workspace.
fn workspace() -> Option<PathBuf> {
    let starts = [
        // Set by `cargo run`; right also where several clones share a target folder.
        env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        Some(PathBuf::from(env!("CARGO_MANIFEST_DIR"))),
        env::current_dir().ok(),
    ];
    starts
        .into_iter()
        .flatten()
        .find_map(|start| root_above(&start))
}

/// The nearest folder at or above `start` that has a `Cargo.lock`.
fn root_above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file())
        .map(Path::to_path_buf)
}

/// `name-version` of every package in a `Cargo.lock` that comes from a registry.
fn locked(lock: &str) -> Vec<String> {
    let mut packages = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let fields: BTreeMap<&str, &str> = package
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .collect();
        let field = |key| fields.get(key).map(|value: &&str| value.trim_matches('"'));
        if let (Some(name), Some(version), Some(source)) =
            (field("name"), field("version"), field("source"))
            && source.starts_with("registry+")
        {
            packages.push(format!("{name}-{version}"));
        }
    }
    packages.sort_unstable();
    packages
}

/// The folders that cargo unpacks registries' packages into.
fn registries() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let mut registries: Vec<PathBuf> = home
        .into_iter()
        .flat_map(|home| {
            fs::read_dir(home.join("registry").join("src"))
                .into_iter()
                .flatten()
        })
        .flatten()
        .map(|entry| entry.path())
        .collect();
    registries.sort_unstable();
    registries
}

/// Those of the packages that are there, in the order given.
fn unpacked(packages: &[String], registries: &[PathBuf]) -> Vec<Package> {
    packages
        .iter()
        .filter_map(|name| {
            let folder = registries
                .iter()
                .map(|registry| registry.join(name))
                .find(|it| it.is_dir())?;
            Some(Package {
                name: name.clone(),
                folder,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "zeta"
version = "1.2.3"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"
dependencies = [
 "alpha",
]

[[package]]
name = "ours"
version = "0.1.0"

[[package]]
name = "alpha"
version = "0.1.0+meta"
source = "registry+https://github.com/rust-lang/crates.io-index"
"#;

    #[test]
    fn registry_packages_of_a_lock_file_are_named_in_order() {
        assert_eq!(locked(LOCK), ["alpha-0.1.0+meta", "zeta-1.2.3"]);
    }

    #[test]
    fn only_packages_that_are_there_count() {
        let registry = tempfile::tempdir().unwrap();
        fs::create_dir(registry.path().join("zeta-1.2.3")).unwrap();
        let found = unpacked(&locked(LOCK), &[registry.path().to_path_buf()]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "zeta-1.2.3");
    }

    #[test]
    fn files_are_found_by_path_without_targets_and_hidden_folders() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "src/z.rs",
            "src/a.rs",
            "src/a.txt",
            "target/t.rs",
            ".git/g.rs",
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = rust_files(folder.path());
        assert_eq!(
            found,
            ["src/a.rs", "src/z.rs"].map(|path| folder.path().join(path))
        );
    }

    #[test]
    fn this_very_file_is_found() {
        let packages = find().unwrap();
        let files = rust_files(&packages.all[0].folder);
        assert!(
            files
                .iter()
                .any(|path| path.ends_with("allocator-lab/src/sources.rs"))
        );
    }
}
