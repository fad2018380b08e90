//! What every report begins with: what kind of file it is, and under what circumstances was measured.

use serde::Serialize;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// The beginning of a report. Its fields are fields of the report's JSON.
#[derive(Debug, Serialize)]
pub struct Heading {
    /// What kind of file this is, such as `allocator-lab race`.
    pub format: &'static str,
    /// Raised when the meaning of any field of such files changes.
    pub version: u32,
    /// Version of the program.
    pub program_version: &'static str,
    /// The machine that it ran on.
    pub machine: Machine,
    /// Seconds since 1970 at the end.
    pub unix_seconds: u64,
    /// What was told of the measuring.
    #[serde(flatten)]
    pub effort: Effort,
}

/// How much was measured.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Effort {
    /// Seed of the random order and of the resampling.
    pub seed: u64,
    /// Rounds run.
    pub rounds: usize,
    /// Seconds that it took by the clock, what was built for it included.
    pub seconds: f64,
}

/// Where was measured.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// As in `cfg(target_os)`.
    pub os: &'static str,
    /// As in `cfg(target_arch)`.
    pub arch: &'static str,
    /// Threads that can run at the same time.
    pub cpus: usize,
}

impl Heading {
    /// Of a report that is made now, on this machine.
    #[must_use]
    pub fn new(format: &'static str, version: u32, effort: Effort) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            format,
            version,
            program_version: env!("CARGO_PKG_VERSION"),
            machine: Machine::this(),
            unix_seconds: since_1970.map_or(0, |time| time.as_secs()),
            effort,
        }
    }

    /// Rounds, time, machine and seed in a line.
    #[must_use]
    pub fn circumstances(&self) -> String {
        let Effort {
            seed,
            rounds,
            seconds,
        } = self.effort;
        let plural = if rounds == 1 { "" } else { "s" };
        let Machine { os, arch, cpus } = self.machine;
        format!("{rounds} round{plural} in {seconds:.0} s on {cpus} CPUs, {os} {arch}; seed {seed}")
    }
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        Self {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            cpus,
        }
    }
}
