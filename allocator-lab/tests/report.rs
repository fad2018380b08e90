//! `allocator-lab report` from outside: the page, its exit codes and messages.

use allocator_lab::trace::{Act, Event, Trace};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

const PROFILE: &str =
    "size,allocs,live_at_peak,avg_live\n24,90000,9000,100\n264,90000,30000,20000\n";

/// A folder with a profile and a session.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.csv"), PROFILE).unwrap();
    let session = include_str!("session.json");
    fs::write(folder.path().join("ab.json"), session).unwrap();
    folder
}

fn report(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).arg("report").args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn profiles_and_sessions_are_on_one_page() {
    let folder = folder();
    let arguments = [
        "ab.json",
        "run.csv",
        "--holdout",
        "run.csv",
        "-o",
        "r.html",
        "--json",
        "r.json",
    ];
    let output = report(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let page = read(&folder.path().join("r.html"));
    for part in ["264", "rpmalloc", "TunedAlloc", "B is better", "sqlite3"] {
        assert!(page.contains(part), "{part}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&read(&folder.path().join("r.json"))).unwrap();
    assert_eq!(json["format"], "allocator-lab report");
    assert_eq!(json["sessions"][0]["outcome"], "better");
    assert!(json["fit"]["classes"].as_array().unwrap().len() > 10);
    // Once more, it is the same.
    assert!(report(folder.path(), &arguments).status.success());
    assert_eq!(read(&folder.path().join("r.html")), page);
}

#[test]
fn memory_over_time_is_a_traces_where_there_is_one() {
    let folder = folder();
    let trace = Trace {
        blocks: 500,
        events: (0..500)
            .map(|block| Event::new(Act::Allocate, block, 1000))
            .chain((0..400).map(|block| Event::new(Act::Free, block, 0)))
            .collect(),
    };
    fs::write(folder.path().join("app.trace"), trace.to_bytes()).unwrap();
    let page = |files: &[&str]| {
        let output = report(
            folder.path(),
            &[files, &["-o", "r.html", "--json", "r.json"]].concat(),
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        let json = read(&folder.path().join("r.json"));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        (
            read(&folder.path().join("r.html")),
            json["memory_order"].clone(),
        )
    };
    let (drawn, order) = page(&["run.csv"]);
    assert!(drawn.contains("the order is drawn") && order == "drawn");
    for files in [&["run.csv", "app.trace"][..], &["app.trace"]] {
        let (traced, order) = page(files);
        assert!(traced.contains("The steps of app.trace") && order == "traced");
        assert!(!traced.contains("drawn"));
    }
    let twice = report(folder.path(), &["app.trace", "app.trace", "-o", "s.html"]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(text(&twice.stderr).contains("more than one trace"));
}

#[test]
fn either_alone_is_a_page_too() {
    let folder = folder();
    for (file, part) in [("run.csv", "Size classes"), ("ab.json", "A against B")] {
        let output = report(folder.path(), &[file, "-o", "r.html"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(read(&folder.path().join("r.html")).contains(part));
    }
}

#[test]
fn a_mistake_is_told_in_a_line_and_leaves_the_old_page() {
    let folder = folder();
    let path = folder.path().join("r.html");
    fs::write(&path, "old").unwrap();
    fs::write(folder.path().join("bad.json"), "{\"format\": ").unwrap();
    for (arguments, code, part) in [
        (
            &["bad.json", "-o", "r.html"][..],
            1,
            "'bad.json': it is cut short",
        ),
        (&["none", "-o", "r.html"], 1, "cannot read 'none'"),
        (
            &["run.csv", "-o", "no/r.html"],
            1,
            "cannot write 'no/r.html'",
        ),
        (&["run.csv", "-o", "."], 1, "it is a folder"),
        (
            &["ab.json", "--holdout", "run.csv", "-o", "r.html"],
            1,
            "none is there to fit to",
        ),
        (&["run.csv"], 2, "no place for the page"),
    ] {
        let output = report(folder.path(), arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(
            message.contains(part) && message.lines().count() == 1,
            "{message}"
        );
    }
    assert_eq!(read(&path), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn what_has_no_memory_over_time_is_told() {
    let folder = folder();
    let large = "size,allocs,live_at_peak,avg_live\n1000000,90000,300,100\n";
    fs::write(folder.path().join("large.csv"), large).unwrap();
    let output = report(folder.path(), &["large.csv", "-o", "r.html"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.starts_with("allocator-lab: 'large.csv': no memory over time;"),
        "{said}"
    );
    assert!(!read(&folder.path().join("r.html")).contains("Page map"));
}
