//! Counting the instructions of this program's own loops with valgrind.

use std::env;
use std::io;
use std::process::Command;

/// Operations of the shorter of two runs: what comes before a steady state is in both.
const WARM_UP: usize = 100_000;

/// Operations that the longer run has more.
const COUNTED: usize = 500_000;

/// Whether valgrind can be run.
pub fn is_installed() -> Result<bool, String> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) => Ok(output.status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("cannot run valgrind: {error}")),
    }
}

/// Instructions per operation of what `--run NAME COUNT` runs: the difference of two runs.
pub fn instructions(name: &str) -> Result<f64, String> {
    let few = total(name, WARM_UP)?;
    let many = total(name, WARM_UP + COUNTED)?;
    Ok((many as f64 - few as f64) / COUNTED as f64)
}

/// Instructions of a whole run.
fn total(name: &str, count: usize) -> Result<u64, String> {
    let program = env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no"])
        .arg("--cachegrind-out-file=/dev/null")
        .arg(program)
        .args(["--run", name, &count.to_string()])
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!(
            "`{name}` under valgrind: {}\n{said}",
            output.status
        ));
    }
    read(&said).ok_or_else(|| format!("no count in what valgrind said:\n{said}"))
}

/// The number in valgrind's line `==123== I refs:  1,234,567`.
fn read(said: &str) -> Option<u64> {
    let is_count = |line: &&str| line.contains("I refs:") || line.contains("I   refs:");
    let (_, number) = said.lines().find(is_count)?.rsplit_once(':')?;
    number.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_with_its_commas() {
        let said = "==7== Cachegrind, a high-precision tracing profiler\n\
                    ==7== I refs:        1,234,567\n";
        assert_eq!(read(said), Some(1_234_567));
        assert_eq!(read("==7== I   refs:      12\n"), Some(12));
        assert_eq!(read("==7== Command: ./it\n"), None);
    }
}
