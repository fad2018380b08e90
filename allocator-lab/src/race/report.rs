//! What the race says: who took what on which row, and how ours compare. This
//! is also the JSON that is written.

use super::build::Executables;
use super::entrants::{DEFAULT, Entrant, Side};
use super::rounds::{Course, Measured, Series};
use super::scores;
use crate::corpus::Contents;
use crate::entrant::Description;
use crate::heading::{Effort, Heading};
use crate::rounds::Outcome;
use crate::sample::{Figures, Metric};
use crate::sources;
use crate::statistics::Estimate;
use serde::Serialize;
use std::process::Command;

/// Raised when the meaning of any field of the JSON changes.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that a race found out.
#[derive(Debug, Serialize)]
pub struct RaceReport {
    /// What it is, and how it was measured.
    #[serde(flatten)]
    pub heading: Heading,
    /// What the workloads read; absent if none reads it.
    pub corpus: Option<Contents>,
    /// Who took part.
    pub entrants: Vec<EntrantReport>,
    /// The peer that every ratio is also given to: a mimalloc.
    pub reference: &'static str,
    /// What would have taken part or been raced on, but is not installed, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// What was found, by row.
    pub rows: Vec<RowReport>,
    /// What it comes to: by entrant and metric, over all rows.
    pub summary: Vec<Summary>,
}

/// One that took part.
#[derive(Debug, Clone, Serialize)]
pub struct EntrantReport {
    /// Its name in the tables.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// On which side it is.
    pub side: Side,
    /// The package that it is from and its version, if it is from a registry.
    pub package: Option<String>,
    /// The choices that it was declared with, if it was declared.
    #[serde(flatten)]
    pub description: Description,
}

/// An entrant or a row that could not be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub name: &'static str,
    /// Why.
    pub reason: String,
}

/// A row that a report can be made of.
pub trait Raced: Course<Figures = Figures> + 'static {
    /// What it does, in a line.
    fn about(&self) -> &'static str;

    /// Whether the heap was aged before.
    fn is_aged(&self) -> bool {
        false
    }

    /// Whether its time says anything.
    fn is_timed(&self) -> bool {
        true
    }
}

/// What was found on one row.
#[derive(Debug, Serialize)]
pub struct RowReport {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: &'static str,
    /// Whether the heap was aged before.
    pub is_aged: bool,
    /// Whether its time says anything.
    pub is_timed: bool,
    /// What the work came to, equal for all: sixteen hexadecimal digits.
    pub checksum: Option<String>,
    /// What each entrant took, in the order of [`RaceReport::entrants`].
    pub results: Vec<EntrantResult>,
    /// By metric: CPU time, time by the clock, peak resident memory.
    pub contests: Vec<Contest>,
}

/// One entrant on one row.
#[derive(Debug, Serialize)]
pub struct EntrantResult {
    /// Its name.
    pub entrant: &'static str,
    /// Why there are no figures, if it failed.
    pub failure: Option<String>,
    /// Medians, unless it failed.
    pub typical: Option<Figures>,
    /// The single runs, by round.
    pub runs: Vec<Figures>,
}

/// How ours compare with the peers on one row, in one metric.
#[derive(Debug, Serialize)]
pub struct Contest {
    /// In what.
    pub metric: Metric,
    /// The peer with the lowest median.
    pub best_peer: Option<&'static str>,
    /// By entrant: our presets, and the copy of the default.
    pub ours: Vec<Ratios>,
    /// The copy of the default to the default: how far two runs of the same differ.
    pub control: Option<Estimate>,
    /// Every entrant's median to that of the best peer, in the order of [`RaceReport::entrants`].
    pub medians_to_best: Vec<Option<f64>>,
}

/// The ratios of one of ours.
#[derive(Debug, Serialize)]
pub struct Ratios {
    /// Its name.
    pub entrant: &'static str,
    /// To the best peer of the row.
    pub to_best: Option<Estimate>,
    /// To [`RaceReport::reference`].
    pub to_mimalloc: Option<Estimate>,
}

/// One entrant in one metric over all rows.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Its name.
    pub entrant: &'static str,
    /// In what.
    pub metric: Metric,
    /// Rows that have a ratio to the best peer.
    pub rows: usize,
    /// Geometric mean over them of the ratio to the best peer of each.
    pub to_best: Option<Estimate>,
    /// The same to [`RaceReport::reference`].
    pub to_mimalloc: Option<Estimate>,
    /// Rows on which it took no more than the best peer, by medians.
    pub rows_won: usize,
    /// The row with the largest ratio of medians to the best peer, and that ratio.
    pub worst: Option<(String, f64)>,
}

/// The circumstances of a race, for the record.
pub struct Circumstances {
    /// Seed of the random order.
    pub seed: u64,
    /// What the workloads read.
    pub corpus: Option<Contents>,
    /// The peer that every ratio is also given to.
    pub reference: &'static str,
    /// What could not be there.
    pub left_out: Vec<LeftOut>,
    /// Time that the race took by the clock.
    pub seconds: f64,
    /// Resamples that an interval is made from.
    pub resamples: usize,
}

/// The metrics, in the order of the tables.
pub const METRICS: [Metric; 3] = [Metric::Cpu, Metric::Wall, Metric::PeakRss];

impl RaceReport {
    /// Draws the conclusions from what was measured.
    #[must_use]
    pub fn new<C: Raced>(
        entrants: Vec<EntrantReport>,
        measured: &Measured<C>,
        circumstances: Circumstances,
    ) -> Self {
        let series = measured.series.iter();
        let rows: Vec<RowReport> = series
            .map(|series| RowReport::of(series, &entrants, &circumstances))
            .collect();
        let summary = METRICS
            .into_iter()
            .flat_map(|metric| entrants.iter().map(move |entrant| (metric, entrant.name)))
            .map(|(metric, entrant)| Summary::of(entrant, metric, &rows, &circumstances))
            .collect();
        let effort = Effort {
            seed: circumstances.seed,
            rounds: measured.rounds,
            seconds: circumstances.seconds,
        };
        Self {
            heading: Heading::new("allocator-lab race", FORMAT_VERSION, effort),
            corpus: circumstances.corpus,
            entrants,
            reference: circumstances.reference,
            left_out: circumstances.left_out,
            rows,
            summary,
        }
    }

    /// Every failure: row, entrant, reason.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.rows.iter().flat_map(|row| {
            let results = row.results.iter();
            results.filter_map(|it| Some((row.name.as_str(), it.entrant, it.failure.as_deref()?)))
        })
    }

    /// Whether any of ours failed. That a peer does is a result.
    #[must_use]
    pub fn has_failures_of_ours(&self) -> bool {
        let is_ours = |name: &str| {
            let mut entrants = self.entrants.iter();
            entrants.any(|entrant| entrant.name == name && entrant.side != Side::Peer)
        };
        self.failures().any(|(_, entrant, _)| is_ours(entrant))
    }

    /// The entrant's line of the summary.
    #[must_use]
    pub fn summary_of(&self, entrant: &str, metric: Metric) -> Option<&Summary> {
        let mut lines = self.summary.iter();
        lines.find(|line| line.entrant == entrant && line.metric == metric)
    }
}

impl EntrantReport {
    /// Asks the entrant's executable what it is.
    ///
    /// # Errors
    /// A sentence, if it cannot be started or gives no answer.
    pub fn of(entrant: &'static Entrant, executables: &Executables) -> Result<Self, String> {
        let output = Command::new(&executables[entrant.executable])
            .arg("--describe")
            .output()
            .map_err(|error| format!("cannot start {}: {error}", entrant.executable))?;
        let described = serde_json::from_slice(&output.stdout);
        let undescribed = Self::undescribed(entrant);
        Ok(Self {
            description: described.unwrap_or(undescribed.description),
            ..undescribed
        })
    }

    /// One that cannot be asked.
    #[must_use]
    pub fn undescribed(entrant: &'static Entrant) -> Self {
        Self {
            name: entrant.name,
            about: entrant.about,
            side: entrant.side,
            package: entrant.package.and_then(sources::locked_package),
            description: Description {
                declaration: None,
                fingerprint: None,
            },
        }
    }
}

impl RowReport {
    fn of<C: Raced>(
        series: &Series<C>,
        entrants: &[EntrantReport],
        circumstances: &Circumstances,
    ) -> Self {
        let results: Vec<EntrantResult> = entrants
            .iter()
            .zip(&series.outcomes)
            .map(|(entrant, outcome)| EntrantResult::of(entrant.name, outcome))
            .collect();
        let is_timed = series.row.is_timed();
        let contests = METRICS
            .into_iter()
            .filter(|&metric| is_timed || metric == Metric::PeakRss)
            .map(|metric| Contest::of(metric, &results, entrants, circumstances))
            .collect();
        Self {
            name: series.row.name(),
            about: series.row.about(),
            is_aged: series.row.is_aged(),
            is_timed,
            checksum: series.checksum.map(|checksum| format!("{checksum:016x}")),
            results,
            contests,
        }
    }

    /// What was found in a metric, if it says anything on this row.
    #[must_use]
    pub fn contest(&self, metric: Metric) -> Option<&Contest> {
        let mut contests = self.contests.iter();
        contests.find(|contest| contest.metric == metric)
    }

    /// The runs of an entrant, unless it failed or did not take part.
    fn runs(&self, entrant: &str) -> Option<&[Figures]> {
        let result = self.results.iter().find(|it| it.entrant == entrant)?;
        Some(result.runs.as_slice()).filter(|runs| !runs.is_empty())
    }
}

impl EntrantResult {
    fn of(entrant: &'static str, outcome: &Outcome) -> Self {
        let (failure, runs) = match outcome {
            Outcome::Measured(runs) => (None, runs.clone()),
            Outcome::Failed { round, reason } => {
                (Some(format!("{reason} (round {round})")), Vec::new())
            }
        };
        Self {
            entrant,
            failure,
            typical: Figures::median(&runs),
            runs,
        }
    }
}

impl Contest {
    fn of(
        metric: Metric,
        results: &[EntrantResult],
        entrants: &[EntrantReport],
        circumstances: &Circumstances,
    ) -> Self {
        let median = |result: &EntrantResult| scores::median(metric, &result.runs);
        let medians: Vec<Option<f64>> = results.iter().map(median).collect();
        let of_peers: Vec<Option<f64>> = entrants
            .iter()
            .zip(&medians)
            .map(|(entrant, median)| median.filter(|_| entrant.side == Side::Peer))
            .collect();
        let best = scores::least(&of_peers);
        let by_name = |name: &str| results.iter().find(|result| result.entrant == name);
        let ratio = |candidate: &EntrantResult, other: Option<&EntrantResult>| {
            let Circumstances {
                resamples, seed, ..
            } = *circumstances;
            scores::ratio(metric, &candidate.runs, &other?.runs, resamples, seed)
        };
        let ours = entrants
            .iter()
            .zip(results)
            .filter(|(entrant, _)| entrant.side != Side::Peer)
            .map(|(_, result)| Ratios {
                entrant: result.entrant,
                to_best: ratio(result, best.map(|best| &results[best])),
                to_mimalloc: ratio(result, by_name(circumstances.reference)),
            })
            .collect();
        let control = entrants.iter().position(|it| it.side == Side::Control);
        Self {
            metric,
            best_peer: best.map(|best| results[best].entrant),
            ours,
            control: control.and_then(|it| ratio(&results[it], by_name(DEFAULT))),
            medians_to_best: medians
                .iter()
                .map(|median| Some((*median)? / of_peers[best?]?))
                .collect(),
        }
    }
}

impl Summary {
    fn of(
        entrant: &'static str,
        metric: Metric,
        rows: &[RowReport],
        circumstances: &Circumstances,
    ) -> Self {
        let contests = || {
            rows.iter()
                .filter_map(|row| Some((row, row.contest(metric)?)))
        };
        let mean_to = |other: &dyn Fn(&Contest) -> Option<&'static str>| {
            let pairs: Vec<(&[Figures], &[Figures])> = contests()
                .filter_map(|(row, contest)| Some((row.runs(entrant)?, row.runs(other(contest)?)?)))
                .collect();
            scores::mean_ratio(metric, &pairs, circumstances.resamples, circumstances.seed)
        };
        let ratios: Vec<(&RowReport, f64)> = contests()
            .filter_map(|(row, contest)| {
                let place = row.results.iter().position(|it| it.entrant == entrant)?;
                Some((row, contest.medians_to_best[place]?))
            })
            .collect();
        let worst = ratios.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        Self {
            entrant,
            metric,
            rows: ratios.len(),
            to_best: mean_to(&|contest| contest.best_peer),
            to_mimalloc: mean_to(&|_| Some(circumstances.reference)),
            rows_won: ratios.iter().filter(|(_, ratio)| *ratio <= 1.0).count(),
            worst: worst.map(|(row, ratio)| (row.name.clone(), *ratio)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::race::entrants::{ENTRANTS, Entrant, MIMALLOC, SYSTEM, Side};
    use crate::race::rows::ROWS;

    /// So many rounds of equal runs; failed where the time is 0.
    fn outcome(cpu_us: u64) -> Outcome {
        let figures = Figures {
            cpu_us,
            peak_rss_bytes: cpu_us << 10,
            wall_us: 2 * cpu_us,
        };
        match cpu_us {
            0 => Outcome::Failed {
                round: 3,
                reason: "crashed: signal: 11".to_owned(),
            },
            _ => Outcome::Measured(vec![figures; 8]),
        }
    }

    /// A report in which every one of ours took so many microseconds on every row, System and
    /// mimalloc 3 so many, and all other peers so many; 0 is one that failed.
    pub fn report(ours: u64, system: u64, mimalloc: u64, others: u64) -> RaceReport {
        report_by(|entrant| match (entrant.name, entrant.side) {
            (SYSTEM, _) => system,
            (MIMALLOC, _) => mimalloc,
            (_, Side::Peer) => others,
            _ => ours,
        })
    }

    /// A report in which each entrant took what `cpu_us` says.
    fn report_by(cpu_us: impl Fn(&Entrant) -> u64) -> RaceReport {
        let outcomes: Vec<Outcome> = ENTRANTS
            .iter()
            .map(|entrant| outcome(cpu_us(entrant)))
            .collect();
        let series = ROWS.iter().map(|row| Series {
            row,
            checksum: Some(7),
            outcomes: outcomes.clone(),
        });
        let measured = Measured {
            rounds: 8,
            series: series.collect(),
        };
        let entrants = ENTRANTS.iter().map(|entrant| EntrantReport {
            package: None,
            ..EntrantReport::undescribed(entrant)
        });
        let circumstances = Circumstances {
            seed: 1,
            corpus: None,
            reference: MIMALLOC,
            left_out: vec![LeftOut {
                name: "z3",
                reason: "there is no program z3".to_owned(),
            }],
            seconds: 60.0,
            resamples: 20,
        };
        RaceReport::new(entrants.collect(), &measured, circumstances)
    }

    #[test]
    fn the_best_peer_is_none_of_ours_however_fast_they_are() {
        let report = report(100, 400, 300, 500);
        let ours = ENTRANTS.iter().filter(|entrant| entrant.side != Side::Peer);
        let ours = ours.count();
        for row in &report.rows {
            for contest in &row.contests {
                assert_eq!(contest.best_peer, Some(MIMALLOC));
                assert_eq!(contest.ours.len(), ours);
                let ratio = contest.ours[0].to_best.unwrap().ratio;
                assert!((ratio - 1.0 / 3.0).abs() < 1e-9, "{ratio}");
            }
        }
        let summary = report.summary_of(DEFAULT, Metric::Cpu).unwrap();
        assert!((summary.to_best.unwrap().ratio - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(summary.rows_won, summary.rows);
        let peer = report.summary_of("jemalloc", Metric::Cpu).unwrap();
        assert!((peer.to_best.unwrap().ratio - 5.0 / 3.0).abs() < 1e-9);
        assert_eq!(peer.rows_won, 0);
    }

    #[test]
    fn a_peer_that_fails_is_not_the_best_and_does_not_end_the_race() {
        let report = report(100, 200, 0, 300);
        let contest = &report.rows[0].contests[0];
        assert_eq!(contest.best_peer, Some("System"));
        assert!(contest.ours[0].to_mimalloc.is_none());
        assert_eq!(report.failures().count(), ROWS.len());
        assert!(!report.has_failures_of_ours());
        let reason = report.failures().next().unwrap();
        assert_eq!(
            reason,
            ("byte-sizes", MIMALLOC, "crashed: signal: 11 (round 3)")
        );
    }

    #[test]
    fn one_of_ours_that_fails_is_told_apart() {
        let report = report_by(|entrant| u64::from(entrant.name != "throughput"));
        assert!(report.has_failures_of_ours());
    }

    #[test]
    fn nothing_is_said_of_the_time_that_nothing_takes() {
        let report = report(100, 100, 100, 100);
        let empty = report.rows.iter().find(|row| row.name == "empty").unwrap();
        assert!(empty.contest(Metric::Cpu).is_none());
        assert!(empty.contest(Metric::PeakRss).is_some());
        let rows = |metric| report.summary_of(DEFAULT, metric).unwrap().rows;
        assert_eq!(rows(Metric::Cpu) + 1, rows(Metric::PeakRss));
    }
}
