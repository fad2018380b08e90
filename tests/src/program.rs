//! Helper programs whose global allocator is a declared type: what is claimed of a whole process
//! is tested in a process of its own.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A helper program and what it is to be run under.
pub struct Program<'a> {
    path: &'a str,
    arguments: &'a [&'a str],
    limits: &'a [(libc::__rlimit_resource_t, u64)],
    preload: Option<&'a Path>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its status; `None` when it hung and was killed.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard output.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

/// After this a program counts as hung: many times what the slowest takes in a debug build.
const HANG: Duration = Duration::from_secs(120);

impl<'a> Program<'a> {
    /// The program at `path`, to be run with `arguments`.
    #[must_use]
    pub fn new(path: &'a str, arguments: &'a [&'a str]) -> Self {
        Self {
            path,
            arguments,
            limits: &[],
            preload: None,
        }
    }

    /// Sets resource limits (soft and hard) before the program is executed.
    #[must_use]
    pub fn under(mut self, limits: &'a [(libc::__rlimit_resource_t, u64)]) -> Self {
        self.limits = limits;
        self
    }

    /// Has the dynamic linker load a shared object before the program's own.
    #[must_use]
    pub fn preloading(mut self, object: &'a Path) -> Self {
        self.preload = Some(object);
        self
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let mut command = Command::new(self.path);
        command
            .args(self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.envs(self.preload.map(|object| ("LD_PRELOAD", object)));
        let limits = self.limits.to_vec();
        // SAFETY: setrlimit is async-signal-safe, and nothing is allocated.
        unsafe {
            command.pre_exec(move || {
                for &(resource, bytes) in &limits {
                    let limit = libc::rlimit {
                        rlim_cur: bytes,
                        rlim_max: bytes,
                    };
                    if libc::setrlimit(resource, &raw const limit) != 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let mut child = command.spawn().expect("the helper program starts");
        let mut output = child.stdout.take().expect("piped");
        let mut errors = child.stderr.take().expect("piped");
        let output = std::thread::spawn(move || read_all(&mut output));
        let errors = std::thread::spawn(move || read_all(&mut errors));
        let start = Instant::now();
        let status = loop {
            match child.try_wait().expect("the child can be waited for") {
                Some(status) => break Some(status),
                None if start.elapsed() > HANG => {
                    child.kill().expect("the child can be killed");
                    child.wait().expect("the child can be waited for");
                    break None;
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        Outcome {
            status,
            output: output.join().expect("the output is read"),
            errors: errors.join().expect("the errors are read"),
        }
    }

    /// Runs the program and asserts that it ended well; shows what it wrote.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn succeeds(&self) -> Outcome {
        let outcome = self.run();
        print!("{}", outcome.output);
        assert!(
            outcome.status.is_some_and(|status| status.success()),
            "{} {:?}{}: {}\n{}",
            self.path,
            self.arguments,
            match self.preload {
                Some(object) => format!(" under {}", object.display()),
                None => String::new(),
            },
            match outcome.status {
                Some(status) => status.to_string(),
                None => "hung".to_owned(),
            },
            outcome.errors,
        );
        outcome
    }
}

fn read_all(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is still worth showing.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a helper program can do: its name, and what takes the rest of the arguments.
pub type Scenario = (&'static str, fn(&[String]));

/// Runs the scenario that the first argument names, of those in `scenarios`, with the rest.
///
/// # Panics
/// When there is no such scenario.
pub fn main(scenarios: &[Scenario]) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().expect("the name of a scenario");
    let (_, scenario) = scenarios
        .iter()
        .find(|(known, _)| known == name)
        .expect("a scenario of this name");
    scenario(&arguments[1..]);
}
