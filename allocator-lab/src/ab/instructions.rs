//! Instructions of the sides, as valgrind counts them: nearly the same from run to run, and blind to the
//! kernel, to page faults and to caches. So they stand beside the verdict, and decide nothing.

use super::side::Side;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// How much longer than without it a run may take.
const SLOWER: u32 = 100;

/// What a run of each side takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructions {
    /// Of A.
    pub a: u64,
    /// Of B.
    pub b: u64,
}

impl Instructions {
    /// Runs each side once more. `None` without valgrind.
    ///
    /// # Errors
    /// Which side failed and how, in a line.
    pub fn count(a: &Side, b: &Side) -> Result<Option<Self>, String> {
        if !is_installed() {
            return Ok(None);
        }
        let count = |side: &Side, name: &str| {
            let count = count(side);
            count.map_err(|reason| format!("{name} under valgrind {reason}"))
        };
        Ok(Some(Self {
            a: count(a, "A")?,
            b: count(b, "B")?,
        }))
    }

    /// B's to A's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.b as f64 / self.a.max(1) as f64
    }
}

fn is_installed() -> bool {
    let mut command = Command::new("valgrind");
    let command = command.arg("--version").stdin(Stdio::null());
    let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|it| it.success())
}

fn count(side: &Side) -> Result<u64, String> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|error| format!("has no place for its logs: {error}"))?;
    let mut logs = OsString::from("--log-file=");
    logs.push(folder.path().join("%p"));
    let mut words: Vec<OsString> = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--trace-children=yes",
        "--cachegrind-out-file=/dev/null",
    ]
    .map(OsString::from)
    .to_vec();
    words.push(logs);
    side.under(words, SLOWER).run()?;
    sum(folder.path()).ok_or_else(|| "counted nothing".to_owned())
}

/// The instructions in all logs: one of each process.
fn sum(folder: &Path) -> Option<u64> {
    let logs = fs::read_dir(folder).ok()?.flatten();
    let logs = logs.filter_map(|log| fs::read_to_string(log.path()).ok());
    let counts: Vec<u64> = logs.filter_map(|log| refs(&log)).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

/// The number after `I refs:`, which has commas in it.
fn refs(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.split_once("refs:"));
    let digits: String = line?.1.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ab::side::Named;

    #[test]
    fn the_logs_of_all_processes_are_added_up() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(sum(folder.path()), None);
        let log = "==7== Cachegrind\n==7== \n==7== I   refs:      1,234,567\n";
        fs::write(folder.path().join("7"), log).unwrap();
        fs::write(folder.path().join("8"), "==8== I refs: 33\n").unwrap();
        fs::write(folder.path().join("9"), "==9== killed\n").unwrap();
        assert_eq!(sum(folder.path()), Some(1_234_600));
    }

    #[test]
    fn who_does_more_has_more_of_them() {
        let side = |text: &str| Named::parse(text).unwrap().prepare(&[], 60).unwrap();
        let (a, b) = (side("cmd:true"), side("cmd:ls / / / >/dev/null"));
        let Some(found) = Instructions::count(&a, &b).unwrap() else {
            // Nothing to count with.
            return;
        };
        assert!(found.a > 10_000 && found.ratio() > 1.1, "{found:?}");
        let failed = Instructions::count(&a, &side("cmd:exit 3")).unwrap_err();
        assert!(failed.starts_with("B under valgrind crashed"), "{failed}");
    }
}
