//! What the runs say: for every workload and allocator, ratios to the
//! baseline with intervals and verdicts. This is also the JSON that is written.

use crate::contestants::BASELINE;
use crate::corpus::Contents;
use crate::heading::{Effort, Heading};
use crate::rounds::{self, CONTROL, Measured, Outcome, Series};
use crate::sample::{Figures, Metric};
use crate::statistics::{self, Estimate, Verdict};
use serde::Serialize;

/// Raised when the meaning of any field of the JSON changes.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that a run found out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What it is, and how it was measured.
    #[serde(flatten)]
    pub heading: Heading,
    /// What the workloads read; absent if none reads it.
    pub corpus: Option<Contents>,
    /// Name of the allocator that ratios are to.
    pub baseline: &'static str,
    /// Who took part.
    pub allocators: Vec<Allocator>,
    /// What was found, by workload.
    pub workloads: Vec<WorkloadReport>,
}

/// One that took part.
#[derive(Debug, Serialize)]
pub struct Allocator {
    /// Its name in the table.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The attribute that declares it, if it is a declared one.
    pub declaration: Option<String>,
    /// Equal for equal choices, whatever the name: sixteen hexadecimal digits.
    pub fingerprint: Option<String>,
}

/// What was found on one workload.
#[derive(Debug, Serialize)]
pub struct WorkloadReport {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What the work came to, equal for all: sixteen hexadecimal digits.
    pub checksum: String,
    /// A row for each allocator, in the order of [`Report::allocators`].
    pub rows: Vec<Row>,
}

/// One allocator on one workload.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name in the table.
    pub allocator: &'static str,
    /// Why there are no figures, if it failed.
    pub failure: Option<String>,
    /// Typical absolute figures (medians), unless it failed.
    pub typical: Option<Figures>,
    /// CPU time against the baseline; absent for the baseline and where one of them failed.
    pub cpu: Option<Comparison>,
    /// Peak resident memory against the baseline.
    pub peak_rss: Option<Comparison>,
    /// Time by the clock against the baseline.
    pub wall: Option<Comparison>,
    /// The single runs, by round.
    pub runs: Vec<Figures>,
}

/// A ratio to the baseline and what may be said of it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Comparison {
    /// The ratio and its interval.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// Better, same, worse, inconclusive or withheld.
    pub verdict: Verdict,
}

/// The circumstances of a run, for the record.
pub struct Circumstances {
    /// Seed of the random order.
    pub seed: u64,
    /// What the workloads read.
    pub corpus: Option<Contents>,
    /// Time that the run took by the clock.
    pub seconds: f64,
}

impl Report {
    /// Draws the conclusions from what was measured.
    #[must_use]
    pub fn new(measured: &Measured, circumstances: Circumstances) -> Self {
        let Circumstances {
            seed,
            corpus,
            seconds,
        } = circumstances;
        let allocators = rounds::entrants().iter().map(Allocator::of).collect();
        let workloads = measured
            .series
            .iter()
            .map(|series| WorkloadReport::of(series, seed))
            .collect();
        let effort = Effort {
            seed,
            rounds: measured.rounds,
            seconds,
        };
        Self {
            heading: Heading::new("allocator-lab comparison", FORMAT_VERSION, effort),
            corpus,
            baseline: BASELINE.name,
            allocators,
            workloads,
        }
    }

    /// Whether any run failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.failures().next().is_some()
    }

    /// Every failure: workload, allocator, reason.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.workloads.iter().flat_map(|workload| {
            workload
                .rows
                .iter()
                .filter_map(|row| Some((workload.name, row.allocator, row.failure.as_deref()?)))
        })
    }
}

impl Allocator {
    fn of(entrant: &rounds::Entrant) -> Self {
        let about = if entrant.label == CONTROL {
            "a second copy of stock: how far two runs of the same differ here"
        } else {
            entrant.contestant.about
        };
        let config = entrant.contestant.config;
        let declaration = config.map(ToString::to_string);
        let fingerprint = config.map(|config| format!("{:016x}", config.fingerprint()));
        Self {
            name: entrant.label,
            about,
            declaration,
            fingerprint,
        }
    }
}

impl WorkloadReport {
    fn of(series: &Series, seed: u64) -> Self {
        let entrants = rounds::entrants();
        let rows = entrants.iter().zip(&series.outcomes);
        let mut rows: Vec<Row> = rows
            .map(|(entrant, outcome)| {
                let baseline = baseline_for(entrant.label, &series.outcomes);
                Row::of(entrant.label, outcome, &baseline, seed)
            })
            .collect();
        let control_of = |metric: fn(&Row) -> Option<Comparison>| {
            let control = rows.iter().find(|row| row.allocator == CONTROL);
            control
                .and_then(metric)
                .is_some_and(|it| statistics::control_differs(it.verdict))
        };
        let differs = [
            control_of(|row| row.cpu),
            control_of(|row| row.peak_rss),
            control_of(|row| row.wall),
        ];
        for row in rows.iter_mut().filter(|row| row.allocator != CONTROL) {
            let comparisons = [&mut row.cpu, &mut row.peak_rss, &mut row.wall];
            for (comparison, differs) in comparisons.into_iter().zip(differs) {
                if let (Some(comparison), true) = (comparison, differs) {
                    comparison.verdict = Verdict::Withheld;
                }
            }
        }
        let workload = series.workload;
        Self {
            name: workload.name,
            about: workload.about,
            checksum: format!("{:016x}", series.checksum),
            rows,
        }
    }
}

impl Row {
    fn of(label: &'static str, outcome: &Outcome, baseline: &[&[Figures]], seed: u64) -> Self {
        match outcome {
            Outcome::Failed { round, reason } => Self {
                allocator: label,
                failure: Some(format!("{reason} (round {round})")),
                typical: None,
                cpu: None,
                peak_rss: None,
                wall: None,
                runs: Vec::new(),
            },
            Outcome::Measured(runs) => {
                let compare = |metric| compare(metric, runs, baseline, seed);
                Self {
                    allocator: label,
                    failure: None,
                    typical: Figures::median(runs),
                    cpu: compare(Metric::Cpu),
                    peak_rss: compare(Metric::PeakRss),
                    wall: compare(Metric::Wall),
                    runs: runs.clone(),
                }
            }
        }
    }
}

/// What an entrant's runs are compared with: for the copy of the baseline
/// the baseline; for all others both, since both are the same allocator, and
/// one unlucky series moves the ratios of all others half as much; for the
/// baseline itself nothing.
fn baseline_for<'a>(label: &str, outcomes: &'a [Outcome]) -> Vec<&'a [Figures]> {
    let copies = match label {
        label if label == BASELINE.name => 0,
        CONTROL => 1,
        _ => 2,
    };
    let runs = |outcome: &'a Outcome| match outcome {
        Outcome::Measured(runs) => Some(runs.as_slice()),
        Outcome::Failed { .. } => None,
    };
    match runs(&outcomes[0]) {
        Some(_) => outcomes[..copies].iter().filter_map(runs).collect(),
        None => Vec::new(),
    }
}

/// Compares round by round with the geometric mean of the baselines.
/// `None` without a baseline.
fn compare(
    metric: Metric,
    candidate: &[Figures],
    baselines: &[&[Figures]],
    seed: u64,
) -> Option<Comparison> {
    if baselines.is_empty() {
        return None;
    }
    let log = |runs: &[Figures], round: usize| metric.of(&runs[round]).ln();
    let log_ratios: Vec<f64> = (0..candidate.len())
        .map(|round| {
            let sum: f64 = baselines.iter().map(|runs| log(runs, round)).sum();
            log(candidate, round) - sum / baselines.len() as f64
        })
        .collect();
    let estimate = statistics::estimate(&log_ratios, statistics::RESAMPLES, seed)?;
    let verdict = statistics::verdict(&estimate, log_ratios.len());
    Some(Comparison { estimate, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads::WORKLOADS;

    fn measured(cpu_us: u64) -> Outcome {
        let figures = |round: u64| Figures {
            cpu_us: cpu_us + round,
            peak_rss_bytes: 1 << 20,
            wall_us: cpu_us + round,
        };
        Outcome::Measured((0..8).map(figures).collect())
    }

    /// A report in which the copy of the baseline took `control_us` against its 10,000.
    fn report(control_us: u64, third: Outcome) -> Report {
        let mut outcomes = vec![measured(10_000); rounds::entrants().len()];
        outcomes[1] = measured(control_us);
        outcomes[2] = third;
        let series = vec![Series {
            workload: &WORKLOADS[0],
            checksum: 0,
            outcomes,
        }];
        let measured = Measured { rounds: 8, series };
        Report::new(
            &measured,
            Circumstances {
                seed: 1,
                corpus: None,
                seconds: 1.0,
            },
        )
    }

    #[test]
    fn a_clear_gain_is_better_and_an_equal_one_is_the_same() {
        let report = report(10_000, measured(9_000));
        let rows = &report.workloads[0].rows;
        assert!(
            rows[0].cpu.is_none(),
            "the baseline is not compared with itself"
        );
        assert_eq!(rows[2].cpu.unwrap().verdict, Verdict::Better);
        assert_eq!(rows[2].peak_rss.unwrap().verdict, Verdict::Same);
        assert_eq!(rows[3].cpu.unwrap().verdict, Verdict::Same);
        assert!(!report.has_failures());
    }

    #[test]
    fn verdicts_are_withheld_for_the_metric_in_which_the_copies_differ() {
        let report = report(11_000, measured(9_000));
        let workload = &report.workloads[0];
        assert_eq!(
            workload.rows[1].cpu.unwrap().verdict,
            Verdict::Worse,
            "the control says why"
        );
        assert_eq!(workload.rows[2].cpu.unwrap().verdict, Verdict::Withheld);
        assert_eq!(workload.rows[2].peak_rss.unwrap().verdict, Verdict::Same);
    }

    #[test]
    fn others_are_compared_with_both_copies_of_the_baseline() {
        let report = report(12_100, measured(11_000));
        let rows = &report.workloads[0].rows;
        let ratio = |row: usize| rows[row].cpu.unwrap().estimate.ratio;
        assert!(
            (ratio(1) - 1.21).abs() < 1e-3,
            "the copy with the baseline itself"
        );
        assert!(
            (ratio(2) - 1.0).abs() < 1e-3,
            "11,000 with the mean of 10,000 and 12,100"
        );
    }

    #[test]
    fn a_crash_is_a_row_that_says_so() {
        let crash = Outcome::Failed {
            round: 2,
            reason: "crashed: signal: 11".to_owned(),
        };
        let report = report(10_000, crash);
        let failures: Vec<_> = report.failures().collect();
        let label = rounds::entrants()[2].label;
        assert_eq!(
            failures,
            [("rust-source", label, "crashed: signal: 11 (round 2)")]
        );
        assert!(report.workloads[0].rows[2].cpu.is_none());
    }
}
