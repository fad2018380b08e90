//! The program from outside: exit codes, messages and files. Times are never asserted.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

/// Who must be in every report: the contestants, and the copy of the baseline.
const ALLOCATORS: [&str; 9] = [
    "stock",
    "stock′",
    "half_remaining",
    "local_first",
    "retire_cycles",
    "skip_collect",
    "seed",
    "default",
    "System",
];

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The number of entries of a folder: that nothing is left lying about.
fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    for part in ["Usage:", "--json FILE", "rust-source", "skip_collect"] {
        assert!(text(&help.stdout).contains(part), "{part}");
    }
    let version = run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(
        text(&version.stdout),
        concat!("allocator-lab ", env!("CARGO_PKG_VERSION"), "\n")
    );
    assert!(help.stderr.is_empty() && version.stderr.is_empty());
}

#[test]
fn the_race_has_a_help_of_its_own() {
    let help = run(&["race", "--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    for part in [
        "Usage: allocator-lab race",
        "--svg FILE",
        "json-aged",
        "mimalloc3",
        "--programs",
        "ghostscript",
        "tcmalloc",
    ] {
        assert!(text(&help.stdout).contains(part), "{part}");
    }
}

#[test]
fn the_scale_has_a_help_of_its_own() {
    let help = run(&["scale", "--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    for part in [
        "Usage: allocator-lab scale",
        "--svg FILE",
        "live-blocks",
        "10000000",
        "counts",
    ] {
        assert!(text(&help.stdout).contains(part), "{part}");
    }
}

#[test]
fn the_fit_has_a_help_of_its_own() {
    let help = run(&["fit", "--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    for part in [
        "Usage: allocator-lab fit",
        "--holdout",
        "--max-classes",
        "--classes FILE",
    ] {
        assert!(text(&help.stdout).contains(part), "{part}");
    }
}

#[test]
fn a_request_is_explained_in_text_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let output = run(&[
        "explain",
        "24",
        "100000",
        "--of",
        "stock",
        "--json",
        path.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("25.0%"),
        "{}",
        text(&output.stdout)
    );
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(json["requests"][0]["class"]["block_bytes"], 32);
    assert!(json["requests"][1]["class"].is_null());
}

#[test]
fn wrong_arguments_exit_2_with_one_line() {
    let mistakes: [&[&str]; 32] = [
        &["replay"],
        &["replay", "a", "b"],
        &["replay", "--no"],
        &["explain", "18446744073709551615"],
        &["fit", "a.json", "--json", "a.json"],
        &["fit", "a.json", "--holdout", "b", "--classes", "./b"],
        &["record", "-o", "a", "--trace", "a", "--", "true"],
        &["--jsn", "x"],
        &["compare"],
        &["--rounds", "0"],
        &["--seconds", "soon"],
        &["--seed", "-1"],
        &["--only", "everything"],
        &["--json"],
        &["--quick", "race"],
        &["race", "--jsn", "x"],
        &["race", "--only", "everything"],
        &["race", "--entrants", "nobody"],
        &["race", "--rounds", "0"],
        &["race", "again"],
        &["race", "--programs", "--only", "tree"],
        &["race", "--entrants", "tcmalloc"],
        &["scale", "--only", "cores"],
        &["scale", "--entrants", "nobody"],
        &["scale", "--rounds", "0"],
        &["scale", "again"],
        &["explain"],
        &["explain", "24", "--of", "System"],
        &["fit"],
        &["fit", "--holdout", "x"],
        &["fit", "x", "--objective", "fast"],
        &["fit", "x", "--max-classes", "0"],
    ];
    for arguments in mistakes {
        let output = run(arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.starts_with("allocator-lab: "), "{message}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_path_that_cannot_be_written_is_told_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("out.json");
    for path in [&missing, folder.path()] {
        // Without a limit: if the run began, this test would take a year.
        for (before, limit) in [
            (&["--json"][..], "--seconds"),
            (&["race", "--json"], "--seconds"),
            (&["race", "--svg"], "--seconds"),
            (&["race", "--programs", "--json"], "--seconds"),
            (&["scale", "--json"], "--rounds"),
            (&["scale", "--svg"], "--rounds"),
        ] {
            let mut arguments = before.to_vec();
            arguments.extend([path.to_str().unwrap(), limit, "31536000"]);
            let output = run(&arguments);
            let message = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(message.lines().count(), 1, "{message}");
            assert!(
                message.starts_with("allocator-lab: cannot write '"),
                "{message}"
            );
        }
    }
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn a_write_that_fails_half_way_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    fs::write(&path, "the old one").unwrap();
    // No file may grow beyond 512 or 1024 bytes (shells differ), as if the disk were full.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let arguments = ["--quick", "--rounds", "1", "--only", "burst", "--json"];
    let output = Command::new("sh")
        .args(["-c", script, "sh", PROGRAM])
        .args(arguments)
        .arg(&path)
        .output()
        .unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.lines().last().unwrap().contains("cannot write '"),
        "{message}"
    );
    assert!(
        text(&output.stdout).contains("burst"),
        "the table is printed all the same"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "the old one");
    assert_eq!(entries(folder.path()), 1);
}

#[test]
fn a_small_run_reports_every_allocator_on_every_workload() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let arguments = ["--quick", "--seconds", "1", "--rounds", "2", "--json"];
    let output = Command::new(PROGRAM)
        .args(arguments)
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));

    let table = text(&output.stdout);
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report["format"], "allocator-lab comparison");
    assert_eq!(report["version"], 1);
    assert_eq!(report["rounds"], 2);
    let names = |list: &serde_json::Value, key: &str| -> Vec<String> {
        let values = list.as_array().unwrap().iter();
        values
            .map(|value| value[key].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&report["allocators"], "name"), ALLOCATORS);
    assert_eq!(
        names(&report["workloads"], "name"),
        ["rust-source", "json", "burst", "ping-pong"]
    );
    for workload in report["workloads"].as_array().unwrap() {
        assert_eq!(names(&workload["rows"], "allocator"), ALLOCATORS);
        for row in workload["rows"].as_array().unwrap() {
            assert_eq!(row["failure"], serde_json::Value::Null, "{row}");
            assert_eq!(row["runs"].as_array().unwrap().len(), 2);
            let is_baseline = row["allocator"] == report["baseline"];
            assert_eq!(row["cpu"]["ratio"].is_number(), !is_baseline);
        }
    }
    for allocator in ALLOCATORS {
        assert!(
            table.lines().any(|line| line.starts_with(allocator)),
            "{allocator}"
        );
    }
}

#[test]
fn a_child_runs_on_the_allocator_that_its_environment_names() {
    for (selection, served) in [
        ("stock  ", "stock"),
        ("seed", "seed"),
        ("nonsense", "System"),
    ] {
        let output = Command::new(PROGRAM)
            .env("ALLOCATOR_LAB_ALLOCATOR", selection)
            .args(["--quick", "--child", "burst"])
            .output()
            .unwrap();
        let sample: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(sample["allocator"], served);
    }
}

/// Kills every child that runs on `seed`, from outside, while the program runs; `None` where the kernel does not list
/// children.
#[cfg(target_os = "linux")]
fn run_while_seed_dies() -> Option<Output> {
    let mut program = Command::new(PROGRAM)
        .args(["--quick", "--only", "burst", "--rounds", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let children = format!("/proc/{0}/task/{0}/children", program.id());
    if fs::read(&children).is_err() {
        program.kill().unwrap();
        program.wait().unwrap();
        return None;
    }
    while program.try_wait().unwrap().is_none() {
        for child in fs::read_to_string(&children)
            .unwrap_or_default()
            .split_whitespace()
        {
            let environment = fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment);
            if environment.contains("ALLOCATOR_LAB_ALLOCATOR=seed ") {
                // SAFETY: a signal to a child of the program's, or to nobody.
                unsafe { libc::kill(child.parse().unwrap(), libc::SIGABRT) };
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(program.wait_with_output().unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn a_child_that_dies_is_reported_and_the_others_are_not_affected() {
    // A child lives for some 30 ms. Where it has ended before it was seen, nobody died: once more.
    let mut runs = (0..100).map_while(|_| run_while_seed_dies());
    let Some(first) = runs.next() else {
        eprintln!("skipped: this kernel does not list children");
        return;
    };
    let output = std::iter::once(first)
        .chain(runs)
        .find(|output| !output.status.success())
        .expect("a child is killed in one of 100 runs");
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(table.contains("\nseed            FAILED\n"), "{table}");
    assert!(
        table.contains("FAILED: seed on burst: crashed: signal: 6"),
        "{table}"
    );
    assert_eq!(table.matches("FAILED: ").count(), 1, "{table}");
}
