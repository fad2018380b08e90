//! The rounds of the race: every row on every entrant once, each in a process
//! of its own, rows in random order and entrants in random order within a row.

use super::entrants::{Entrant, SYSTEM};
use crate::rounds::{Clock, Limit, Outcome, Step};
use crate::sample::Sample;
use serde::de::DeserializeOwned;
use std::time::Instant;

/// What can be raced on: a row.
pub trait Course {
    /// What is observed of a run.
    type Figures: Clone + DeserializeOwned;

    /// How it is called in the tables.
    fn name(&self) -> String;
}

/// Has entrants run courses, each run in a process of its own.
pub trait Runs<C: Course> {
    /// One run.
    ///
    /// # Errors
    /// What went wrong, in half a line.
    fn run(&self, course: &C, entrant: &Entrant) -> Result<Sample<C::Figures>, String>;

    /// Who is to say what the work comes to, although it may not take part.
    fn judge(&self) -> Option<&'static Entrant> {
        None
    }
}

/// What is to be raced.
pub struct Plan<C: 'static> {
    /// On what.
    pub rows: Vec<&'static C>,
    /// Who.
    pub entrants: Vec<&'static Entrant>,
    /// For how long.
    pub limit: Limit,
    /// Where the random order starts from.
    pub seed: u64,
}

impl<C> Plan<C> {
    /// What is about to happen, in half a line.
    #[must_use]
    pub fn announcement(&self) -> String {
        let (entrants, rows) = (self.entrants.len(), self.rows.len());
        match self.limit.end {
            Some(end) => {
                let seconds = end.saturating_duration_since(Instant::now()).as_secs_f64();
                format!("racing {entrants} entrants on {rows} rows for about {seconds:.0} s")
            }
            None => {
                let rounds = self.limit.most_rounds;
                format!("racing {entrants} entrants on {rows} rows, rounds: {rounds}")
            }
        }
    }
}

/// Every outcome on one row.
pub struct Series<C: Course + 'static> {
    /// The row.
    pub row: &'static C,
    /// What the work comes to: what the first entrant that managed a run
    /// which is not measured came to. `None` if nobody did.
    pub checksum: Option<u64>,
    /// In the order of the plan's entrants.
    pub outcomes: Vec<Outcome<C::Figures>>,
}

/// All rounds together.
pub struct Measured<C: Course + 'static> {
    /// Rounds that were run to their end.
    pub rounds: usize,
    /// In the order of the plan.
    pub series: Vec<Series<C>>,
}

/// Runs the plan.
pub fn run<C: Course>(
    plan: &Plan<C>,
    racer: &impl Runs<C>,
    mut watch: impl FnMut(Step),
) -> Measured<C> {
    let mut series: Vec<Series<C>> = Vec::new();
    for (position, &row) in plan.rows.iter().enumerate() {
        let name = row.name();
        watch(Step {
            round: 0,
            workload: &name,
            entrant: SYSTEM,
            done: position as f64 / plan.rows.len() as f64,
        });
        series.push(Series {
            row,
            checksum: warm_up(racer, row, &plan.entrants),
            outcomes: vec![Outcome::Measured(Vec::new()); plan.entrants.len()],
        });
    }

    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let mut clock = Clock::new(plan.limit);
    let mut order: Vec<usize> = (0..plan.entrants.len()).collect();
    let mut row_order: Vec<usize> = (0..series.len()).collect();
    while clock.begin_round() {
        rng.shuffle(&mut row_order);
        for (position, &row) in row_order.iter().enumerate() {
            let series = &mut series[row];
            let name = series.row.name();
            rng.shuffle(&mut order);
            for &index in &order {
                let (entrant, outcome) = (plan.entrants[index], &mut series.outcomes[index]);
                if matches!(outcome, Outcome::Failed { .. }) {
                    continue;
                }
                watch(Step {
                    round: clock.rounds(),
                    workload: &name,
                    entrant: entrant.name,
                    done: clock.done(position as f64 / row_order.len() as f64),
                });
                let sample = racer.run(series.row, entrant);
                let figures = sample.and_then(|sample| match series.checksum {
                    Some(checksum) if sample.checksum != checksum => {
                        Err("did other work: its checksum differs".to_owned())
                    }
                    _ => Ok(sample.figures),
                });
                outcome.add(clock.rounds(), figures);
            }
        }
    }
    Measured {
        rounds: clock.rounds(),
        series,
    }
}

/// A run that is not measured: finds the checksum, and fills the page cache.
/// By the judge if there is one, or else on the system's allocator if it takes
/// part, since that one is trusted most.
fn warm_up<C: Course>(racer: &impl Runs<C>, row: &C, entrants: &[&'static Entrant]) -> Option<u64> {
    let system = entrants.iter().filter(|entrant| entrant.name == SYSTEM);
    let trusted = racer.judge().into_iter().chain(system.copied());
    let mut candidates = trusted.chain(entrants.iter().copied());
    candidates.find_map(|entrant| Some(racer.run(row, entrant).ok()?.checksum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::entrants::ENTRANTS;
    use crate::race::rows::{ROWS, Row};
    use crate::sample::Figures;

    /// Under this one the work comes to something else.
    const ODD: &str = "jemalloc";

    struct Fake {
        judge: Option<&'static Entrant>,
    }

    impl Runs<Row> for Fake {
        fn run(&self, _: &Row, entrant: &Entrant) -> Result<Sample, String> {
            Ok(Sample {
                allocator: entrant.name.to_owned(),
                checksum: if entrant.name == ODD { 8 } else { 7 },
                figures: Figures {
                    cpu_us: 1,
                    peak_rss_bytes: 1,
                    wall_us: 1,
                },
            })
        }

        fn judge(&self) -> Option<&'static Entrant> {
            self.judge
        }
    }

    fn failed(judge: Option<&'static str>, entrants: Vec<&'static Entrant>) -> Vec<bool> {
        let plan = Plan {
            rows: vec![&ROWS[0]],
            entrants,
            limit: Limit {
                least_rounds: 2,
                most_rounds: 2,
                end: None,
            },
            seed: 1,
        };
        let judge = judge.and_then(Entrant::by_name);
        let measured = run(&plan, &Fake { judge }, |_| {});
        let outcomes = measured.series[0].outcomes.iter();
        outcomes
            .map(|outcome| match outcome {
                Outcome::Measured(runs) => {
                    assert_eq!(runs.len(), 2);
                    false
                }
                Outcome::Failed { round, reason } => {
                    assert_eq!(*round, 1);
                    assert!(reason.contains("checksum differs"), "{reason}");
                    true
                }
            })
            .collect()
    }

    #[test]
    fn who_does_other_work_than_the_system_or_the_judge_fails() {
        let odd = Entrant::by_name(ODD).unwrap();
        assert_eq!(failed(None, vec![&ENTRANTS[0], odd]), [false, true]);
        assert_eq!(failed(Some(SYSTEM), vec![odd, &ENTRANTS[0]]), [true, false]);
        let nobody = failed(Some(SYSTEM), vec![odd]);
        assert_eq!(nobody, [true], "although the judge does not take part");
    }
}
