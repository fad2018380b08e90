//! `allocator-lab ab` from outside: exit codes, messages and files. Times are never asserted.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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

/// Whether a process of the group runs; what has ended and that nobody has reaped does not.
#[cfg(target_os = "linux")]
fn runs(group: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut stats = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
    stats.any(|stat| {
        // After the name, which may have anything in it: the state, the parent and the group.
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        fields[2] == group && fields[0] != "Z"
    })
}

/// A script that says its group in a file, and the file.
#[cfg(target_os = "linux")]
fn script(folder: &Path, before: &str, after: &str) -> (String, PathBuf) {
    let begun = folder.join("begun");
    let path = begun.display();
    let says = format!("echo $$ >'{path}.draft'; mv '{path}.draft' '{path}'");
    (format!("cmd:{before} {says}; {after}"), begun)
}

/// Two processes that would stay for long, whatever they are told.
#[cfg(target_os = "linux")]
const STUBBORN: [&str; 2] = ["trap '' ALRM HUP INT TERM; sleep 1000 &", "sleep 1000"];

/// Asserts that nothing runs, or soon does any more, of the group that a script said.
#[cfg(target_os = "linux")]
#[track_caller]
fn nothing_is_left(begun: &Path) {
    let group = fs::read_to_string(begun).unwrap();
    let soon = Instant::now() + Duration::from_secs(10);
    while runs(group.trim()) {
        assert!(Instant::now() < soon, "something runs");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_that_takes_too_long_is_ended_whatever_it_ignores() {
    let folder = tempfile::tempdir().unwrap();
    let (stays, begun) = script(folder.path(), STUBBORN[0], STUBBORN[1]);
    let output = ab(&["--a", &stays, "--b", &stays, "--timeout", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.ends_with("was stuck: no end after 1 s\n"),
        "{message}"
    );
    nothing_is_left(&begun);
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_program_leaves_running_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (leaves, begun) = script(folder.path(), "sleep 1000 &", "exit 3");
    let output = ab(&["--a", &leaves, "--b", &leaves]);
    assert_eq!(output.status.code(), Some(1));
    nothing_is_left(&begun);
}

#[test]
#[cfg(target_os = "linux")]
fn told_to_end_it_ends_what_it_has_started() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let folder = tempfile::tempdir().unwrap();
        let (stays, begun) = script(folder.path(), STUBBORN[0], STUBBORN[1]);
        let mut command = Command::new(PROGRAM);
        command
            .args(["ab", "--a", &stays, "--b", &stays])
            .stderr(Stdio::null());
        // Tests that run in the background of a shell would hand on that the signal is ignored.
        // SAFETY: the call may be made between fork and exec.
        unsafe {
            command.pre_exec(move || {
                libc::signal(signal, libc::SIG_DFL);
                Ok(())
            });
        }
        let mut program = command.spawn().unwrap();
        while !begun.exists() {
            assert!(program.try_wait().unwrap().is_none(), "it still runs");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(runs(fs::read_to_string(&begun).unwrap().trim()));
        // SAFETY: a signal to a child that was not waited for.
        unsafe { libc::kill(program.id() as libc::pid_t, signal) };
        assert_eq!(program.wait().unwrap().signal(), Some(signal));
        nothing_is_left(&begun);
    }
}
