//! `allocator-lab ab` from outside: exit codes, messages and files. Times are never asserted.

use std::fs;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

fn ab(arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("ab").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Holds so many bytes, and does nothing else.
fn holding(size: &str) -> String {
    format!("cmd:dd if=/dev/zero of=/dev/null bs={size} count=1 2>/dev/null")
}

#[test]
fn more_memory_exits_1_and_the_json_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("out.json");
    let (small, large) = (holding("16M"), holding("64M"));
    let path = json.to_str().unwrap();
    let rounds = ["--max-rounds", "10", "--repeat", "1"];
    let arguments = [&["--a", &small, "--b", &large, "--json", path], &rounds[..]].concat();
    let output = ab(&arguments);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{printed}{}",
        text(&output.stderr)
    );
    assert!(
        printed.contains("B is worse: ") && printed.contains("worse in peak RSS (+"),
        "{printed}"
    );

    let json: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!(json["format"], "allocator-lab ab");
    assert_eq!(json["outcome"], "worse");
    let memory = &json["metrics"][1];
    assert_eq!(
        (&memory["name"], &memory["verdict"]["word"]),
        (&"peak RSS".into(), &"worse".into())
    );
    assert!(memory["ratio"].as_f64().unwrap() > 2.0);
    for samples in ["a", "copy", "b"] {
        assert_eq!(memory["samples"][samples].as_array().unwrap().len(), 10);
    }
}

#[test]
fn what_cannot_be_told_exits_3() {
    // Every second run takes four times as much, whosever it is: so each side does about as often, in
    // an order that the seed says.
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    let command = format!(
        "cmd:n=$(cat {0} 2>/dev/null || echo 0); echo $((n + 1)) >{0}; \
         dd if=/dev/zero of=/dev/null bs=$((16 + n % 2 * 48))M count=1 2>/dev/null",
        count.display()
    );
    let output = ab(&[
        "--a",
        &command,
        "--b",
        &command,
        "--max-rounds",
        "10",
        "--repeat",
        "1",
    ]);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(3),
        "{printed}{}",
        text(&output.stderr)
    );
    assert!(printed.contains("B is inconclusive: "), "{printed}");
}

#[test]
fn one_that_fails_exits_1_with_a_line_and_without_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("out.json");
    let output = ab(&[
        "--a",
        "cmd:true",
        "--b",
        "cmd:exit 7",
        "--json",
        json.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.ends_with("allocator-lab: B crashed: exit status: 7\n"),
        "{message}"
    );
    assert!(output.stdout.is_empty() && !json.exists());
}

#[test]
fn wrong_arguments_exit_2_with_one_line() {
    let mistakes: [&[&str]; 5] = [
        &[],
        &["--a", "default", "--b", "nobody", "ls"],
        &["--a", "default", "--b", "seed"],
        &["--a", "cmd:ls", "--b", "cmd:ls", "--max-rounds", "11"],
        &["--a", "cmd:ls", "--b", "cmd:ls", "ls"],
    ];
    for arguments in mistakes {
        let output = ab(arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.starts_with("allocator-lab: ") && output.stdout.is_empty());
    }
}

#[test]
fn it_has_a_help_of_its_own() {
    let help = ab(&["--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    for part in [
        "Usage: allocator-lab ab",
        "cmd:COMMAND",
        "--max-rounds N",
        "default, throughput",
    ] {
        assert!(text(&help.stdout).contains(part), "{part}");
    }
}
