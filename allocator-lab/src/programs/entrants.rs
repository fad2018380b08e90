//! Who takes part: shared objects of ours, and those that the machine has.

use crate::race::build::{Built, Executables, build};
use crate::race::entrants::{CHECKED, COMPACT, CONTROL, GUARDED, SEED, STOCK, THROUGHPUT};
use crate::race::entrants::{DEFAULT, Entrant, Feature, SYSTEM, Side};
use crate::race::report::LeftOut;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The peer that every ratio is also given to.
pub const MIMALLOC: &str = "mimalloc2";

/// Everyone. The executables are shared objects here.
pub static PRELOADED: &[Entrant] = &[
    DEFAULT_OBJECT,
    object_of(CONTROL, "preload"),
    object_of(THROUGHPUT, "throughput"),
    object_of(COMPACT, "compact"),
    object_of(SEED, "seed"),
    object_of(STOCK, "stock"),
    object_of(CHECKED, "checked"),
    object_of(GUARDED, "guarded"),
    // Not just nothing: a program may be linked with another allocator, as Debian's redis is.
    installed(SYSTEM, "libc.so.6", "the allocator of the C library"),
    installed(MIMALLOC, "libmimalloc.so.2", "mimalloc 2"),
    installed("jemalloc", "libjemalloc.so.2", "jemalloc 5"),
    installed("tcmalloc", "libtcmalloc_minimal.so.4", "gperftools"),
];

/// The default as a shared object.
const DEFAULT_OBJECT: Entrant = Entrant {
    name: DEFAULT,
    about: "libpreload.so, preset balanced",
    served_by: DEFAULT,
    side: Side::Ours,
    executable: "preload",
    feature: Feature::Preload,
    package: None,
};

/// The shared object of `examples/preload` that declares what an entrant of the race does.
const fn object_of(entrant: Entrant, target: &'static str) -> Entrant {
    Entrant {
        executable: target,
        feature: Feature::Preload,
        ..entrant
    }
}

const fn installed(name: &'static str, file: &'static str, about: &'static str) -> Entrant {
    Entrant {
        name,
        about,
        served_by: name,
        side: Side::Peer,
        executable: file,
        feature: Feature::Installed,
        ..DEFAULT_OBJECT
    }
}

/// The C library's, which says what a program's output is.
///
/// # Panics
/// Never: it is in the list.
#[must_use]
pub fn system() -> &'static Entrant {
    by_name(SYSTEM).expect("the system's takes part")
}

/// The entrant of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Entrant> {
    PRELOADED.iter().find(|entrant| entrant.name == name)
}

/// Whether it takes part when nobody is named: the other presets do only when they are.
#[must_use]
pub fn takes_part_unasked(entrant: &Entrant) -> bool {
    entrant.side == Side::Peer || entrant.executable == PRELOADED[0].executable
}

/// Where the shared objects of these are, the C library's in any case, and who has none.
///
/// # Errors
/// A sentence, if one of ours cannot be built, or if there is no C library.
pub fn objects(
    entrants: &[&'static Entrant],
    watch: impl FnMut(Built),
) -> Result<(Executables, Vec<LeftOut>), String> {
    let is_built = |entrant: &&&Entrant| entrant.feature != Feature::Installed;
    let built: Vec<&Entrant> = entrants.iter().filter(is_built).copied().collect();
    let mut objects = build(&built, watch)?;
    let mut left_out = Vec::new();
    let installed = entrants.iter().copied().filter(|it| !is_built(&it));
    for entrant in installed.chain([system()]) {
        let file = entrant.executable;
        if let Some(path) = library(file) {
            objects.insert(file.to_owned(), path);
        } else if entrant.name == SYSTEM {
            return Err(format!("there is no {file}: programs need glibc"));
        } else {
            let reason = format!("there is no {file}");
            let name = entrant.name;
            left_out.push(LeftOut { name, reason });
        }
    }
    Ok((objects, left_out))
}

/// A library of this machine: where the linker knows it, or where libraries usually are.
fn library(file: &str) -> Option<PathBuf> {
    let arch = std::env::consts::ARCH;
    let usual = [
        format!("/usr/lib/{arch}-linux-gnu"),
        format!("/lib/{arch}-linux-gnu"),
        "/usr/lib64".to_owned(),
        "/usr/lib".to_owned(),
        "/usr/local/lib".to_owned(),
    ];
    let in_usual = usual.iter().map(|folder| Path::new(folder).join(file));
    in_usual
        .into_iter()
        .find(|path| path.exists())
        .or_else(|| known_to_the_linker(file, arch))
}

/// From lines like `libc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6`.
fn known_to_the_linker(file: &str, arch: &str) -> Option<PathBuf> {
    let listing = ["ldconfig", "/sbin/ldconfig"]
        .into_iter()
        .find_map(|program| Command::new(program).arg("-p").output().ok())?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let arch = arch.replace('_', "-");
    let mut lines = listing.lines().map(str::trim);
    let line = lines.find(|line| line.split(' ').next() == Some(file) && line.contains(&arch))?;
    Some(PathBuf::from(line.split(" => ").nth(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_used_twice_and_the_reference_is_a_peer() {
        for entrant in PRELOADED {
            assert!(std::ptr::eq(by_name(entrant.name).unwrap(), entrant));
        }
        assert_eq!(by_name(MIMALLOC).unwrap().side, Side::Peer);
    }

    #[test]
    fn what_is_not_installed_is_left_out_by_name() {
        static NOBODY: Entrant = installed("nobody", "libnobody.so.7", "");
        let (objects, left_out) = objects(&[&NOBODY], |_| {}).unwrap();
        assert!(objects["libc.so.6"].is_absolute());
        let expected = LeftOut {
            name: "nobody",
            reason: "there is no libnobody.so.7".to_owned(),
        };
        assert_eq!(left_out, [expected]);
    }
}
