//! `allocator-lab record` from outside: what it writes of a program, whatever that does, and that `fit`
//! reads it.

use allocator_lab::trace::{Act, Trace};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

fn record(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).arg("record").args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A program of awk, which every machine has, with a table of 60,000 lines.
const TABLE: &str =
    r#"BEGIN { for (i = 0; i < 60000; i++) line[i] = "line number " i; print length(line) }"#;

#[test]
fn what_is_recorded_is_fitted_to() {
    let folder = tempfile::tempdir().unwrap();
    let output = record(folder.path(), &["-o", "app.json", "--", "awk", TABLE]);
    assert!(output.status.success(), "{output:?}");
    // The program's output is its own.
    assert_eq!(text(&output.stdout), "60000\n");
    let line = text(&output.stderr).lines().last().unwrap();
    assert!(line.contains("app.json: 1 process, 1 thread, "), "{line}");
    let mut fit = Command::new(PROGRAM);
    let fit = fit
        .current_dir(folder.path())
        .args(["fit", "app.json", "--anyway"]);
    let fit = fit.output().unwrap();
    assert!(fit.status.success(), "{fit:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn all_processes_are_added_up_and_the_programs_code_is_ours() {
    let folder = tempfile::tempdir().unwrap();
    let alone = record(folder.path(), &["-o", "alone.json", "--", "awk", TABLE]);
    assert!(alone.status.success(), "{alone:?}");
    let script = format!("awk '{TABLE}' & awk '{TABLE}'; wait; kill -KILL $$");
    let output = record(folder.path(), &["--", "sh", "-c", &script]);
    assert_eq!(output.status.code(), Some(128 + 9), "{output:?}");
    let line = text(&output.stderr).lines().last().unwrap();
    let processes = line.split("profile.json: ").nth(1).unwrap();
    let processes: u32 = processes.split(' ').next().unwrap().parse().unwrap();
    assert!(processes >= 3, "{line}");
    let read = |name| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        allocator_lab::profile::json::read(&text).unwrap()
    };
    let (alone, profile) = (read("alone.json"), read("profile.json"));
    assert_eq!(profile.runs, 1);
    // The shell's own are among them.
    let least = 2 * alone.allocations();
    assert!(profile.allocations() > least, "{line}: of one, {least} / 2");
}

#[test]
fn a_profile_is_written_on_request_while_the_program_runs() {
    let folder = tempfile::tempdir().unwrap();
    // The shell's parent is `record`.
    let script = "kill -USR2 $PPID; while [ ! -s profile.json ]; do sleep 0.05; done; cp profile.json so_far";
    let output = record(folder.path(), &["--", "sh", "-c", script]);
    assert!(output.status.success(), "{output:?}");
    let so_far = fs::read_to_string(folder.path().join("so_far")).unwrap();
    let profile = allocator_lab::profile::json::read(&so_far).unwrap();
    assert!(profile.allocations() > 0);
}

#[test]
fn what_cannot_be_recorded_is_told_in_a_line_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("profile.json"), "old").unwrap();
    for (arguments, part) in [
        (&["--", "/nowhere/program"][..], "cannot start"),
        (&["-o", "no/folder.json", "--", "true"], "cannot write"),
        (&["--from", "nowhere"], "cannot read"),
        (&["--from", "."], "there is no record"),
    ] {
        let output = record(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let line = text(&output.stderr).lines().last().unwrap();
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(record(folder.path(), &[]).status.code(), Some(2));
    let old = fs::read_to_string(folder.path().join("profile.json")).unwrap();
    assert_eq!(old, "old");
}

#[test]
fn every_step_is_traced_and_can_be_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["-o", "app.json", "--trace", "app.trace", "--", "awk", TABLE];
    let output = record(folder.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    let profile = fs::read_to_string(folder.path().join("app.json")).unwrap();
    let profile = allocator_lab::profile::json::read(&profile).unwrap();
    let path = folder.path().join("app.trace");
    let trace = Trace::load(&path).unwrap();
    let requests = trace.events.iter().filter(|it| it.act != Act::Free);
    assert_eq!(requests.count() as u64, profile.allocations());
    let bytes: u64 = trace.events.iter().map(|it| it.size).sum();
    assert!(bytes > 60_000 * 16, "{bytes}");

    let replay = |path: &Path| {
        let mut command = Command::new(PROGRAM);
        command.arg("replay").arg(path).output().unwrap()
    };
    let [once, again] = [replay(&path), replay(&path)];
    assert!(once.status.success(), "{once:?}");
    assert_eq!(once.stdout, again.stdout);
    fs::write(&path, "no trace").unwrap();
    let mistake = replay(&path);
    assert_eq!(mistake.status.code(), Some(1));
    assert!(text(&mistake.stderr).contains("it is not a trace"));
}
