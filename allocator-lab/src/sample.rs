//! What one run of one workload took: the line that a child prints for its parent.

use crate::usage::Elapsed;
use serde::{Deserialize, Serialize};

/// One run, and what was observed of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample<F = Figures> {
    /// Name of the contestant that served the run.
    pub allocator: String,
    /// The workload's checksum.
    pub checksum: u64,
    /// What it took.
    #[serde(flatten)]
    pub figures: F,
}

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// CPU time of the work, user and system, in microseconds.
    pub cpu_us: u64,
    /// Most memory that the process had resident, in bytes.
    pub peak_rss_bytes: u64,
    /// Time of the work by the clock, in microseconds.
    pub wall_us: u64,
}

impl Figures {
    /// Puts a run's figures together.
    #[must_use]
    pub fn new(elapsed: Elapsed, peak_rss_bytes: u64) -> Self {
        Self {
            cpu_us: elapsed.cpu.as_micros() as u64,
            peak_rss_bytes,
            wall_us: elapsed.wall.as_micros() as u64,
        }
    }

    /// The median of each figure by itself. `None` without runs.
    #[must_use]
    pub fn median(runs: &[Self]) -> Option<Self> {
        let median = |figure: fn(&Self) -> u64| {
            let mut values: Vec<u64> = runs.iter().map(figure).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied()
        };
        Some(Self {
            cpu_us: median(|run| run.cpu_us)?,
            peak_rss_bytes: median(|run| run.peak_rss_bytes)?,
            wall_us: median(|run| run.wall_us)?,
        })
    }
}

/// What is compared, in order of importance. Less is better for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// CPU time: varies least on a busy machine.
    Cpu,
    /// Peak resident memory.
    PeakRss,
    /// Time by the clock.
    Wall,
}

impl Metric {
    /// The metric's value in a run; at least 1, so that ratios are finite.
    #[must_use]
    pub fn of(self, figures: &Figures) -> f64 {
        let value = match self {
            Self::Cpu => figures.cpu_us,
            Self::PeakRss => figures.peak_rss_bytes,
            Self::Wall => figures.wall_us,
        };
        value.max(1) as f64
    }
}
