//! One process and its descendants, from start to end: what they took, and what they said.

use super::group::Group;
use crate::corpus::digest;
use crate::sample::Figures;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program of the machine may take: far more than it does.
pub const TIMEOUT_SECONDS: u32 = 60;

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Call {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// All of its environment but the search path and what this program adds.
    pub environment: Vec<(&'static str, OsString)>,
    /// Whether what this program was started with is in its environment, too.
    pub inherits: bool,
    /// After this many seconds it is taken for stuck and killed.
    pub timeout_seconds: u32,
    /// Where it is run.
    pub folder: PathBuf,
}

/// One that was started.
pub struct Running {
    process: libc::pid_t,
    group: Group,
    start: Instant,
    timeout_seconds: u32,
    stdout: File,
    stderr: File,
}

/// One that has ended.
#[derive(Debug)]
pub struct Ended {
    /// CPU time of all its processes, time by the clock, and the peak of its largest process.
    pub figures: Figures,
    /// Digest of its standard output.
    pub output: u64,
    /// Pages of memory that the kernel had to give all its processes.
    pub faults: u64,
}

impl Call {
    /// The command, with `object` before all other libraries.
    ///
    /// The environment is as long for every object: where the stack begins depends on it.
    fn with(&self, object: Option<&Path>) -> Command {
        const BYTES: usize = 4096;
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        if !self.inherits {
            command.env_clear();
        }
        command
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.environment.iter().cloned());
        if let Some(object) = object {
            let padding = "-".repeat(BYTES.saturating_sub(object.as_os_str().len()));
            command.env("LD_PRELOAD", object);
            command.env("ALLOCATOR_LAB_PADDING", padding);
        }
        command
    }

    /// Runs it to its end without being measured, and returns what it said.
    ///
    /// # Errors
    /// Why it failed, in half a line.
    pub fn output(&self) -> Result<Vec<u8>, String> {
        let output = self.with(None).output();
        let output = output.map_err(|error| format!("cannot be started: {error}"))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(failed(output.status, &output.stderr))
        }
    }

    /// Starts it with `object` before all other libraries.
    ///
    /// # Errors
    /// What stands in the way, in half a line.
    pub fn start(&self, object: &Path) -> Result<Running, String> {
        self.begin(Some(object))
    }

    /// Starts it as it is.
    ///
    /// # Errors
    /// What stands in the way, in half a line.
    pub fn start_alone(&self) -> Result<Running, String> {
        self.begin(None)
    }

    fn begin(&self, object: Option<&Path>) -> Result<Running, String> {
        let cannot = |error: std::io::Error| format!("cannot be started: {error}");
        let (stdout, stderr) = (tempfile::tempfile(), tempfile::tempfile());
        let (stdout, stderr) = (stdout.map_err(cannot)?, stderr.map_err(cannot)?);
        let mut command = self.with(object);
        command
            .stdout(stdout.try_clone().map_err(cannot)?)
            .stderr(stderr.try_clone().map_err(cannot)?)
            .process_group(0);
        // SAFETY: the call is async-signal-safe, and changes nothing but the new process: it does not outlive this one,
        // however this one ends.
        unsafe {
            command.pre_exec(|| {
                #[cfg(target_os = "linux")]
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        // The kernel keeps, over `exec`, the peak of the memory that the process had before. With
        // something to do before `exec` the standard library forks, so that is a copy of what this
        // process has written and still holds, not this process's own memory with its peak, as it
        // would be with `vfork`. It is less than any program has resident.
        let start = Instant::now();
        let child = command.spawn().map_err(cannot)?;
        let process = child.id() as libc::pid_t;
        let timeout = Duration::from_secs(self.timeout_seconds.into());
        Ok(Running {
            process,
            group: Group::of(process, timeout),
            start,
            timeout_seconds: self.timeout_seconds,
            stdout,
            stderr,
        })
    }
}

impl Running {
    /// Asks it to end.
    pub fn terminate(&self) {
        // SAFETY: sends a signal, nothing else. The process was not waited for, so its id is its own.
        unsafe { libc::kill(self.process, libc::SIGTERM) };
    }

    /// Waits for its end, and ends what it has left running.
    ///
    /// # Errors
    /// How it failed, in half a line.
    pub fn end(mut self) -> Result<Ended, String> {
        let was_late = self.group.end();
        let wall = self.start.elapsed();
        let (status, usage) = wait(self.process)?;
        if was_late? && status.signal() == Some(libc::SIGKILL) {
            let seconds = self.timeout_seconds;
            return Err(format!("was stuck: no end after {seconds} s"));
        }
        let read = (contents(&mut self.stdout), contents(&mut self.stderr));
        let (Ok(stdout), Ok(stderr)) = read else {
            return Err("its output cannot be read".to_owned());
        };
        if !status.success() {
            return Err(failed(status, &stderr));
        }
        // The dynamic linker goes on without an object that it cannot load.
        if stderr.starts_with(b"ERROR: ld.so") {
            return Err(format!("was not loaded{}", first_line(&stderr)));
        }
        let time = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec.unsigned_abs())
                + Duration::from_micros(time.tv_usec.unsigned_abs())
        };
        let cpu = time(usage.ru_utime) + time(usage.ru_stime);
        Ok(Ended {
            figures: Figures {
                cpu_us: cpu.as_micros() as u64,
                peak_rss_bytes: usage.ru_maxrss.unsigned_abs() * 1024,
                wall_us: wall.as_micros() as u64,
            },
            output: digest(&stdout),
            faults: usage.ru_minflt.unsigned_abs() + usage.ru_majflt.unsigned_abs(),
        })
    }
}

/// Waits for a child: how it ended, and what it and those that it waited for took.
fn wait(process: libc::pid_t) -> Result<(ExitStatus, libc::rusage), String> {
    let mut status = 0;
    // SAFETY: `rusage` is plain integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both are valid for writes of what the call writes.
        let waited = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
        if waited == process {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("cannot be waited for: {error}"));
        }
    }
}

fn contents(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut contents)?;
    Ok(contents)
}

fn failed(status: ExitStatus, stderr: &[u8]) -> String {
    format!("crashed: {status}{}", first_line(stderr))
}

/// The first line that says anything, as an appendix.
fn first_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty());
    first.map_or(String::new(), |line| format!(": {line}"))
}

/// An error where `LD_PRELOAD` would not lead to an object, in a line.
///
/// # Errors
/// When its path has what ends a path there.
pub fn preloadable(object: &Path) -> Result<(), String> {
    let ends = |byte: &u8| matches!(byte, b' ' | b':');
    if object.as_os_str().as_bytes().iter().any(ends) {
        return Err(format!(
            "'{}' cannot be preloaded: LD_PRELOAD ends a path at a space and at a colon",
            object.display()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::entrants;

    fn run(script: &str) -> Result<Ended, String> {
        let (objects, _) = entrants::objects(&[], |_| {}).unwrap();
        let call = Call {
            command: ["/bin/sh", "-c", script].map(OsString::from).to_vec(),
            environment: Vec::new(),
            inherits: false,
            timeout_seconds: TIMEOUT_SECONDS,
            folder: std::env::temp_dir(),
        };
        call.start(&objects[entrants::system().executable])?.end()
    }

    #[test]
    fn equal_output_has_an_equal_digest_and_other_output_another() {
        let output = |script| run(script).unwrap().output;
        assert_eq!(output("echo 1; echo 2"), output("printf '1\\n2\\n'"));
        assert_ne!(output("echo 1"), output("echo 2"));
    }

    #[test]
    fn a_program_that_fails_is_told_by_its_status_and_first_words() {
        assert_eq!(
            run("echo broken >&2; exit 3").unwrap_err(),
            "crashed: exit status: 3: broken"
        );
        assert!(
            run("kill -SEGV $$")
                .unwrap_err()
                .starts_with("crashed: signal: 11")
        );
    }

    #[test]
    fn an_object_that_is_not_loaded_is_a_failure_and_not_the_systems_figures() {
        let call = Call {
            command: vec!["/bin/true".into()],
            environment: Vec::new(),
            inherits: false,
            timeout_seconds: TIMEOUT_SECONDS,
            folder: std::env::temp_dir(),
        };
        let running = call.start(Path::new("/nowhere/libnobody.so")).unwrap();
        let message = running.end().unwrap_err();
        assert!(
            message.starts_with("was not loaded: ERROR: ld.so"),
            "{message}"
        );
    }
}
