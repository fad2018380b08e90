//! `cargo run --release -p allocator-tests --bin real_programs`: whether programs that know nothing
//! of it say the same under each object of `examples/preload` as without.
//!
//! `--install` has `apt-get` install what is missing, for root on Debian and its kin. What cannot
//! be had is left out, and that is said. The status is 1 if anything differs.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode};

use allocator_tests::real_programs::{REAL_PROGRAMS, RealProgram, Verdict, build_objects};

/// Has `apt-get` install the packages of what is missing.
fn install() {
    let missing = REAL_PROGRAMS
        .iter()
        .filter(|program| !program.missing().is_empty());
    let packages: BTreeSet<_> = missing.flat_map(|program| program.packages).collect();
    // SAFETY: it has no preconditions.
    let is_root = unsafe { libc::geteuid() } == 0;
    if packages.is_empty() || !is_root {
        return;
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args([
            "-q",
            "-y",
            "-o",
            "Acquire::http::Timeout=20",
        ]);
        command
            .args(arguments)
            .args(packages.iter().filter(|_| arguments[0] == "install"));
        command.output().is_ok_and(|output| output.status.success())
    };
    let get = || apt_get(&["install", "--no-install-recommends"]);
    // The lists may be there, and may be too old.
    let is_there = get() || (apt_get(&["update"]) && get());
    if !is_there {
        println!("COULD NOT INSTALL {packages:?}");
    }
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--install") {
        install();
    }
    let program = std::env::current_exe().expect("the program's path");
    let target = program
        .ancestors()
        .nth(2)
        .expect("it is in a target folder");
    let temporary = target.join("tmp");
    let objects = build_objects(&temporary);
    let judge = |program: &RealProgram| {
        let verdict = program.compare(&objects, Path::new(&temporary));
        println!("{}: {verdict}", program.name);
        verdict
    };
    let verdicts: Vec<_> = REAL_PROGRAMS.iter().map(judge).collect();
    let count = |is: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
    let same = count(|verdict| matches!(verdict, Verdict::Same));
    let different = count(|verdict| matches!(verdict, Verdict::Different(_)));
    let left_out = verdicts.len() - same - different;
    println!(
        "{same} programs say the same under {} objects, {left_out} left out, {different} different",
        objects.len()
    );
    // Where nothing is the same, nothing was run.
    ExitCode::from(u8::from(different > 0 || same == 0))
}
