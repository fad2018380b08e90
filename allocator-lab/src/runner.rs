//! Starts this program again as a child, once per run, and reads what it says.

use crate::contestants::Contestant;
use crate::corpus::Corpus;
use crate::sample::Sample;
use crate::workloads::{Size, Workload};
use crate::{child, dispatch};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Starts children that do work of this size on this corpus.
pub struct Runner {
    program: PathBuf,
    size: Size,
    corpus: File,
}

impl Runner {
    /// Stores the corpus where the children can read it.
    ///
    /// # Errors
    /// A sentence, if there is no room for it.
    pub fn new(size: Size, corpus: &Corpus) -> Result<Self, String> {
        let program = std::env::current_exe()
            .map_err(|error| format!("cannot find this program's own file: {error}"))?;
        let corpus = corpus
            .to_file()
            .map_err(|error| format!("cannot write the corpus to a temporary file: {error}"))?;
        Ok(Self {
            program,
            size,
            corpus,
        })
    }

    /// One run in a process of its own.
    ///
    /// # Errors
    /// What went wrong, in half a line.
    pub fn run(&self, workload: &Workload, contestant: &Contestant) -> Result<Sample, String> {
        let stdin = if workload.reads_corpus {
            Corpus::rewound(&self.corpus)
                .map_err(|error| error.to_string())?
                .into()
        } else {
            Stdio::null()
        };
        let output = child_command(&self.program, workload, contestant, self.size)
            .stdin(stdin)
            .output()
            .map_err(|error| format!("cannot be started: {error}"))?;
        read_output(&output, contestant.name)
    }
}

fn child_command(
    program: &Path,
    workload: &Workload,
    contestant: &Contestant,
    size: Size,
) -> Command {
    let mut command = Command::new(program);
    // Padded: the length of the environment shifts the stack, and that alone
    // can change times by more than what is measured here.
    command.env(
        dispatch::SELECTION.to_str().expect("is ASCII"),
        format!("{:<32}", contestant.name),
    );
    command
        .env("RUST_BACKTRACE", "0")
        .arg("--child")
        .arg(workload.name);
    if size == Size::Quick {
        command.arg("--quick");
    }
    command
}

/// What the child of an allocator of that name said.
///
/// # Errors
/// What went wrong, in half a line.
pub fn read_output<F: DeserializeOwned>(
    output: &Output,
    allocator: &str,
) -> Result<Sample<F>, String> {
    if output.status.signal() == Some(libc::SIGALRM) {
        return Err(format!(
            "was stuck: no result after {} s",
            child::TIMEOUT_SECONDS
        ));
    }
    if !output.status.success() {
        let said = last_words(&String::from_utf8_lossy(&output.stderr));
        return Err(format!("crashed: {}{said}", output.status));
    }
    let sample: Sample<F> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("gave no result: {error}"))?;
    if sample.allocator == allocator {
        Ok(sample)
    } else {
        Err(format!("ran on {} instead", sample.allocator))
    }
}

/// What a child that failed said on standard error, as an appendix to its status.
fn last_words(stderr: &str) -> String {
    let mut lines = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let said = if first.contains("panicked at") {
        lines.next().unwrap_or(first)
    } else {
        first
    };
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestants::BASELINE;
    use crate::sample::Figures;

    #[test]
    fn a_child_that_is_killed_fails_or_gives_nonsense_is_told_apart() {
        let told = |script| {
            let output = Command::new("sh").args(["-c", script]).output().unwrap();
            read_output::<Figures>(&output, BASELINE.name).unwrap_err()
        };
        assert!(told("kill -SEGV $$").starts_with("crashed: signal: 11"));
        assert!(told("kill -ALRM $$").starts_with("was stuck"));
        assert_eq!(
            told("echo broken >&2; exit 3"),
            "crashed: exit status: 3: broken"
        );
        assert!(told("echo hello").starts_with("gave no result"));
    }

    #[test]
    fn a_panic_is_told_by_its_message_and_anything_else_by_its_first_line() {
        let panic = "\nthread 'main' (7) panicked at src/x.rs:1:2:\na block changed\nnote: run";
        assert_eq!(last_words(panic), ": a block changed");
        assert_eq!(last_words("out of memory\n"), ": out of memory");
        assert_eq!(last_words(""), "");
    }
}
