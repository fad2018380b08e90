//! What is found: by series, count and entrant, time and memory. This is also
//! the JSON that is written.

use super::counts::{CORES, Counted, TRANSFER_NS};
use super::points::{Point, Series};
use crate::heading::{Effort, Heading};
use crate::race::entrants::Side;
use crate::race::report::EntrantReport;
use crate::race::rounds;
use crate::rounds::Outcome;
use crate::statistics::{self, Typical};
use crate::workloads::scaled::Cost;
use serde::Serialize;

/// Raised when the meaning of any field of the JSON changes.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that was found out.
#[derive(Debug, Serialize)]
pub struct ScaleReport {
    /// What it is, and how it was measured.
    #[serde(flatten)]
    pub heading: Heading,
    /// What was found, by series.
    pub series: Vec<SeriesReport>,
    /// Atomics and shared lines of the default, by row of the race and number of threads; empty if
    /// they were not asked for.
    pub counts: Vec<Counted>,
    /// Nanoseconds that a transfer of a line is taken to last in `counts`.
    pub transfer_ns: f64,
    /// Cores of the machine that `counts` speak of.
    pub cores: f64,
}

/// What was found of one series.
#[derive(Debug, Serialize)]
pub struct SeriesReport {
    /// What is counted up.
    pub series: Series,
    /// Who took part.
    pub entrants: Vec<EntrantReport>,
    /// By count.
    pub points: Vec<PointReport>,
}

/// What was found at one count.
#[derive(Debug, Serialize)]
pub struct PointReport {
    /// So many.
    pub count: u64,
    /// In the order of [`SeriesReport::entrants`].
    pub results: Vec<PointResult>,
}

/// One entrant at one count.
#[derive(Debug, Serialize)]
pub struct PointResult {
    /// Its name.
    pub entrant: &'static str,
    /// Why there are no figures, if it failed.
    pub failure: Option<String>,
    /// CPU time of an allocation or a free, in ns.
    pub cpu_ns: Option<Typical>,
    /// Time by the clock over the number of allocations and frees, in ns.
    pub wall_ns: Option<Typical>,
    /// Bytes resident for each live byte.
    pub rss_ratio: Option<Typical>,
    /// The single runs, by round.
    pub runs: Vec<Cost>,
}

/// What is told of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// CPU time of an operation.
    Cpu,
    /// Time by the clock over the number of operations.
    Wall,
    /// Bytes resident for each live byte.
    Rss,
}

/// The circumstances, for the record.
pub struct Circumstances {
    /// Seed, rounds and time.
    pub effort: Effort,
    /// Resamples that an interval is made from.
    pub resamples: usize,
}

impl ScaleReport {
    /// Draws the conclusions from what was measured and counted.
    #[must_use]
    pub fn new(
        series: Vec<SeriesReport>,
        counts: Vec<Counted>,
        circumstances: &Circumstances,
    ) -> Self {
        Self {
            heading: Heading::new("allocator-lab scale", FORMAT_VERSION, circumstances.effort),
            series,
            counts,
            transfer_ns: TRANSFER_NS,
            cores: CORES,
        }
    }

    /// Every failure: where, who, why.
    #[must_use]
    pub fn failures(&self) -> Vec<(String, &str, &str)> {
        let mut failures = Vec::new();
        for series in &self.series {
            for point in &series.points {
                let place = format!("{} {}", point.count, series.series.noun());
                failures.extend(point.results.iter().filter_map(|result| {
                    Some((place.clone(), result.entrant, result.failure.as_deref()?))
                }));
            }
        }
        failures.extend(self.counts.iter().filter_map(|counted| {
            Some((counted.name.clone(), "counted", counted.failure.as_deref()?))
        }));
        failures
    }
}

impl ScaleReport {
    /// Whether any of ours failed, measured or counted. That a peer does is a result.
    #[must_use]
    pub fn has_failures_of_ours(&self) -> bool {
        self.failures().iter().any(|(_, entrant, _)| {
            let is_it = |it: &&EntrantReport| it.name == *entrant;
            let found = self.series.iter().flat_map(|it| &it.entrants).find(is_it);
            found.is_none_or(|entrant| entrant.side != Side::Peer)
        })
    }
}

impl SeriesReport {
    /// Of the points among these that are of the series.
    #[must_use]
    pub fn of(
        series: Series,
        entrants: Vec<EntrantReport>,
        measured: &[rounds::Series<Point>],
        circumstances: &Circumstances,
    ) -> Self {
        let points = measured.iter().filter(|it| it.row.series == series);
        let points = points.map(|point| PointReport {
            count: point.row.count,
            results: entrants
                .iter()
                .zip(&point.outcomes)
                .map(|(entrant, outcome)| PointResult::of(entrant.name, outcome, circumstances))
                .collect(),
        });
        Self {
            series,
            points: points.collect(),
            entrants,
        }
    }
}

impl PointResult {
    fn of(entrant: &'static str, outcome: &Outcome<Cost>, circumstances: &Circumstances) -> Self {
        let (failure, runs) = match outcome {
            Outcome::Measured(runs) => (None, runs.clone()),
            Outcome::Failed { round, reason } => {
                (Some(format!("{reason} (round {round})")), Vec::new())
            }
        };
        let typical = |figure: fn(&Cost) -> f64| {
            let values = runs.iter().map(figure);
            statistics::typical(values, circumstances.resamples, circumstances.effort.seed)
        };
        Self {
            entrant,
            failure,
            cpu_ns: typical(Cost::cpu_ns),
            wall_ns: typical(Cost::wall_ns),
            rss_ratio: typical(Cost::rss_ratio),
            runs,
        }
    }

    /// What is typical, unless it failed.
    #[must_use]
    pub fn typical(&self, measure: Measure) -> Option<Typical> {
        match measure {
            Measure::Cpu => self.cpu_ns,
            Measure::Wall => self.wall_ns,
            Measure::Rss => self.rss_ratio,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::counts::tests::rates;
    use super::super::points::SERIES;
    use super::*;
    use crate::entrant::Description;
    use crate::race::entrants::{ENTRANTS, Entrant, SYSTEM};

    const CIRCUMSTANCES: Circumstances = Circumstances {
        effort: Effort {
            seed: 1,
            rounds: 3,
            seconds: 60.0,
        },
        resamples: 20,
    };

    fn described(entrant: &Entrant) -> EntrantReport {
        EntrantReport {
            name: entrant.name,
            about: entrant.about,
            side: entrant.side,
            package: None,
            description: Description {
                declaration: None,
                fingerprint: None,
            },
        }
    }

    /// A report in which an operation takes as many ns as the count has bits, and 1.5 bytes are
    /// resident for each live one; System fails at the last count of each series.
    pub fn report() -> ScaleReport {
        let of_series = |series: Series| {
            let take_part: Vec<&'static Entrant> =
                vec![&ENTRANTS[0], Entrant::by_name(SYSTEM).unwrap()];
            let entrants = series.entrants(&take_part);
            let last = series.points().last().unwrap().count;
            let outcome = |entrant: &Entrant, point: &Point| {
                if entrant.name == SYSTEM && point.count == last {
                    return Outcome::Failed {
                        round: 2,
                        reason: "crashed: signal: 11".to_owned(),
                    };
                }
                let bits = u64::from(point.count.ilog2() + 1);
                let cost = Cost {
                    cpu_us: bits * 1000,
                    wall_us: bits * 500,
                    operations: 1_000_000,
                    rss_bytes: 1500,
                    live_bytes: 1000,
                };
                Outcome::Measured(vec![cost; 3])
            };
            let measured: Vec<rounds::Series<Point>> = series
                .points()
                .into_iter()
                .map(|row| rounds::Series {
                    row,
                    checksum: Some(7),
                    outcomes: entrants.iter().map(|it| outcome(it, row)).collect(),
                })
                .collect();
            let entrants = entrants.into_iter().map(described).collect();
            SeriesReport::of(series, entrants, &measured, &CIRCUMSTANCES)
        };
        let counted = Counted {
            name: "tree".to_owned(),
            failure: None,
            rates: Some(rates()),
        };
        let series = SERIES.map(of_series).into();
        ScaleReport::new(series, vec![counted], &CIRCUMSTANCES)
    }

    #[test]
    fn time_is_for_an_operation_and_memory_for_a_live_byte() {
        let report = report();
        let point = &report.series[0].points[0];
        let typical = |measure| point.results[0].typical(measure).unwrap().value;
        // 1000 has 10 bits.
        assert!((typical(Measure::Cpu) - 10.0).abs() < 1e-9);
        assert!((typical(Measure::Wall) - 5.0).abs() < 1e-9);
        assert!((typical(Measure::Rss) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn a_failure_is_told_with_its_place_and_the_rest_stays() {
        let report = report();
        let failures = report.failures();
        assert_eq!(
            failures.len(),
            2,
            "the types are of one program: {failures:?}"
        );
        assert_eq!(failures[0].0, "10000000 live blocks");
        assert_eq!(failures[0].1, SYSTEM);
        assert!(report.series[0].points[0].results[1].cpu_ns.is_some());
    }
}
