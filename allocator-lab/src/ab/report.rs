//! What a session says: also the JSON that is written.

use super::instructions::Instructions;
use super::protocol::{Judgement, Series};
use super::session::{DECIDING, METRICS, Measured, Metric};
use crate::heading::{Effort, Heading};
use crate::statistics::{Verdict, typical};
use serde::Serialize;

/// Raised when the meaning of any field of the JSON changes.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that a session found out.
#[derive(Debug, Serialize)]
pub struct AbReport {
    /// What it is, and how it was measured.
    #[serde(flatten)]
    pub heading: Heading,
    /// What A is.
    pub a: String,
    /// What B is.
    pub b: String,
    /// What was run under them.
    pub command: String,
    /// Runs of each sample.
    pub repeats: usize,
    /// Whether B said something else than A.
    pub output_differs: bool,
    /// CPU time and peak memory together.
    pub outcome: Outcome,
    /// By metric.
    pub metrics: Vec<MetricReport>,
    /// Instructions of a run; null where they were not asked for, or there is no valgrind.
    pub instructions: Option<Instructions>,
}

/// What is said of both metrics that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// B is better in one, and not worse in the other.
    Better,
    /// B is the same in both.
    Same,
    /// B is worse in one.
    Worse,
    /// Something is not known.
    Inconclusive,
}

/// One metric.
#[derive(Debug, Serialize)]
pub struct MetricReport {
    /// Its name.
    pub name: &'static str,
    /// Whether it decides.
    pub decides: bool,
    /// What A typically takes: microseconds, bytes, or a count.
    pub a: f64,
    /// What B typically takes.
    pub b: f64,
    /// B to A.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// The samples, by round.
    pub samples: Samples,
}

/// Samples by round.
#[derive(Debug, Serialize)]
pub struct Samples {
    /// Of A.
    pub a: Vec<f64>,
    /// Of its copy.
    pub copy: Vec<f64>,
    /// Of B.
    pub b: Vec<f64>,
}

/// What is reported beside the figures.
pub struct Circumstances {
    /// What A is.
    pub a: String,
    /// What B is.
    pub b: String,
    /// What was run under them.
    pub command: String,
    /// Seed of the random order and of the resampling.
    pub seed: u64,
    /// Seconds that it took by the clock.
    pub seconds: f64,
    /// Instructions of a run, if they were counted.
    pub instructions: Option<Instructions>,
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU time",
            Self::PeakRss => "peak RSS",
            Self::Wall => "wall time",
            Self::Faults => "page faults",
        }
    }
}

impl Outcome {
    fn of(verdicts: &[Verdict]) -> Self {
        let any = |verdict| verdicts.contains(&verdict);
        let is_known =
            |it: &Verdict| matches!(it, Verdict::Better | Verdict::Same | Verdict::Worse);
        if any(Verdict::Worse) {
            Self::Worse
        } else if !verdicts.iter().all(is_known) {
            Self::Inconclusive
        } else if any(Verdict::Better) {
            Self::Better
        } else {
            Self::Same
        }
    }
}

impl AbReport {
    /// Draws the conclusions.
    #[must_use]
    pub fn new(measured: Measured, circumstances: Circumstances) -> Self {
        let Measured {
            look,
            series,
            repeats,
            output_differs,
        } = measured;
        let seed = circumstances.seed;
        let middle = |samples: &[f64]| {
            let samples = samples.iter().map(|it| it.max(1.0));
            typical(samples, 0, seed).map_or(0.0, |it| it.value)
        };
        let report = |(metric, series): (&Metric, Series)| {
            Some(MetricReport {
                name: metric.name(),
                decides: DECIDING.contains(metric),
                a: middle(&series.a),
                b: middle(&series.b),
                judgement: look.judge(&series, seed)?,
                samples: Samples {
                    a: series.a,
                    copy: series.copy,
                    b: series.b,
                },
            })
        };
        let metrics: Vec<MetricReport> = METRICS.iter().zip(series).filter_map(report).collect();
        let deciding = metrics.iter().filter(|metric| metric.decides);
        let verdicts: Vec<Verdict> = deciding
            .map(|metric| metric.judgement.comparison.verdict)
            .collect();
        let effort = Effort {
            seed,
            rounds: look.rounds,
            seconds: circumstances.seconds,
        };
        Self {
            heading: Heading::new("allocator-lab ab", FORMAT_VERSION, effort),
            a: circumstances.a,
            b: circumstances.b,
            command: circumstances.command,
            repeats,
            output_differs,
            outcome: Outcome::of(&verdicts),
            metrics,
            instructions: circumstances.instructions,
        }
    }
}

impl AbReport {
    /// B to A in a metric; 1 when nothing was measured.
    #[must_use]
    pub fn ratio(&self, metric: Metric) -> f64 {
        let of_metric = self.metrics.iter().find(|it| it.name == metric.name());
        of_metric.map_or(1.0, |it| it.judgement.comparison.estimate.ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_worse_decides_and_one_that_is_not_known_leaves_all_open() {
        let unknown = Verdict::Inconclusive { more_rounds: 9 };
        for (verdicts, outcome) in [
            ([Verdict::Better, Verdict::Worse], Outcome::Worse),
            ([unknown, Verdict::Worse], Outcome::Worse),
            ([Verdict::Better, unknown], Outcome::Inconclusive),
            ([Verdict::Better, Verdict::Withheld], Outcome::Inconclusive),
            ([Verdict::Same, Verdict::Better], Outcome::Better),
            ([Verdict::Same, Verdict::Same], Outcome::Same),
        ] {
            assert_eq!(Outcome::of(&verdicts), outcome);
        }
    }
}
