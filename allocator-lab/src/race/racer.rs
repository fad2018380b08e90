//! Starts the executable of an entrant, once per run, and reads what it says.

use super::build::Executables;
use super::entrants::Entrant;
use super::rounds::{Course, Runs};
use crate::corpus::Corpus;
use crate::runner;
use crate::sample::Sample;
use crate::workloads::Size;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the executable of an entrant can be started for.
pub trait Errand: Course {
    /// The arguments that have an entrant's executable run it.
    fn arguments(&self) -> Vec<String>;

    /// Whether it reads the corpus.
    fn reads_corpus(&self) -> bool;
}

/// Starts the executables of entrants.
pub struct Racer<'a> {
    executables: &'a Executables,
    size: Size,
    corpus: File,
}

impl<'a> Racer<'a> {
    /// Stores the corpus where the entrants can read it.
    ///
    /// # Errors
    /// A sentence, if there is no room for it.
    pub fn new(executables: &'a Executables, size: Size, corpus: &Corpus) -> Result<Self, String> {
        let corpus = corpus
            .to_file()
            .map_err(|error| format!("cannot write the corpus to a temporary file: {error}"))?;
        Ok(Self {
            executables,
            size,
            corpus,
        })
    }
}

impl<C: Errand> Runs<C> for Racer<'_> {
    fn run(&self, course: &C, entrant: &Entrant) -> Result<Sample<C::Figures>, String> {
        let stdin = if course.reads_corpus() {
            Corpus::rewound(&self.corpus)
                .map_err(|error| error.to_string())?
                .into()
        } else {
            Stdio::null()
        };
        let mut command = command(&self.executables[entrant.executable]);
        command.args(course.arguments());
        if self.size == Size::Quick {
            command.arg("--quick");
        }
        let output = command
            .stdin(stdin)
            .output()
            .map_err(|error| format!("cannot be started: {error}"))?;
        runner::read_output(&output, entrant.served_by)
    }
}

/// A command that starts an executable with a stack of the same layout as any
/// other: the kernel puts its path there and the environment, so the one is
/// made longer by as much as the other is shorter.
fn command(executable: &Path) -> Command {
    const BYTES: usize = 4096;
    let mut command = Command::new(executable);
    let length = executable.as_os_str().len();
    command.arg0("entrant").env("RUST_BACKTRACE", "0").env(
        "ALLOCATOR_LAB_PADDING",
        "-".repeat(BYTES.saturating_sub(length)),
    );
    command
}
