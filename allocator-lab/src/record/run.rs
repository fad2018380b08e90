//! The program that is recorded, from start to end.

use crate::programs::process::preloadable;
use allocator_core::__private::{PROFILE_FOLDER, TRACE_FOLDER};
use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use tempfile::TempDir;

/// Signals that are waited for; the program gets none of them blocked.
const SIGNALS: [i32; 6] = [
    libc::SIGCHLD,
    libc::SIGUSR2,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
];

/// What is loaded before a program's libraries.
const PRELOAD: &str = "LD_PRELOAD";

/// Where a run's records go.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a> {
    /// The counts.
    pub counts: &'a Path,
    /// The steps, if they are recorded.
    pub steps: Option<&'a Path>,
}

/// A folder for records: in memory, where there is such a place. On a disk, files that are mapped cost a
/// short-lived program a tenth of its time.
///
/// # Errors
/// What stands in the way, in a line.
pub fn folder() -> Result<TempDir, String> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.map_err(|error| format!("no folder for records: {error}"))
}

/// Runs a command under `object`, its records in `folders`; `asked` is called at each `SIGUSR2`. Signals
/// that somebody sends to end this program are passed on, and this one ends after the command.
///
/// # Errors
/// Why it cannot be started, in a line.
pub fn run(
    command: &[OsString],
    object: &Path,
    folders: Folders<'_>,
    mut asked: impl FnMut(),
) -> Result<ExitStatus, String> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    preloadable(object)?;
    let mut objects = object.as_os_str().to_owned();
    if let Some(others) = std::env::var_os(PRELOAD).filter(|others| !others.is_empty()) {
        objects.push(":");
        objects.push(others);
    }
    let signals = signals();
    // Before the program starts: its end must not be missed.
    // SAFETY: the set is valid; this thread waits for what is blocked.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut()) };
    let child = Command::new(program)
        .args(arguments)
        .env(PRELOAD, objects)
        .env(variable(PROFILE_FOLDER), folders.counts)
        .envs(folders.steps.map(|folder| (variable(TRACE_FOLDER), folder)))
        .spawn();
    let mut child =
        child.map_err(|error| format!("cannot start '{}': {error}", program.display()))?;
    loop {
        let cannot = |error: io::Error| format!("cannot wait for the program: {error}");
        if let Some(status) = child.try_wait().map_err(cannot)? {
            return Ok(status);
        }
        // SAFETY: a `siginfo_t` is plain data, for which zero is a value.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        // SAFETY: both are valid for what the call does with them.
        match unsafe { libc::sigwaitinfo(&raw const signals, &raw mut info) } {
            libc::SIGUSR2 => asked(),
            signal if signal > 0 && signal != libc::SIGCHLD => pass_on(&child, signal, &info),
            _ => {}
        }
    }
}

/// What the terminal sends, it sends to the program as well.
fn pass_on(child: &Child, signal: i32, info: &libc::siginfo_t) {
    let is_from_a_process = info.si_code <= 0;
    if is_from_a_process {
        // SAFETY: sends a signal, nothing else. The process was not waited for, so its id is its own.
        unsafe { libc::kill(child.id() as libc::pid_t, signal) };
    }
}

fn signals() -> libc::sigset_t {
    // SAFETY: a set of signals is plain data, which the calls below make valid.
    unsafe {
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in SIGNALS {
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}

/// A variable that tells the object where to keep what it records.
fn variable(name: &CStr) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}

/// The exit code that a shell would give.
#[must_use]
pub fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
