//! The parent's side: rounds of children in random order.
//!
//! A round runs every workload on every entrant once, each in a process of its
//! own; the workloads in random order, and within a workload the entrants in
//! random order, so that whatever else the machine does meanwhile hits all
//! alike. One of the entrants is a second copy of the baseline.

use crate::contestants::{BASELINE, CONTESTANTS, Contestant, SYSTEM};
use crate::corpus::Corpus;
use crate::runner::Runner;
use crate::sample::{Figures, Sample};
use crate::workloads::{Size, Workload};
use std::time::{Duration, Instant};

/// How the copy of the baseline is called.
pub const CONTROL: &str = "stock′";

/// What is to be run.
pub struct Plan {
    /// On what.
    pub workloads: Vec<&'static Workload>,
    /// How much of each.
    pub size: Size,
    /// For how long.
    pub limit: Limit,
    /// Where the random order starts from.
    pub seed: u64,
}

impl Plan {
    /// What is about to happen, in half a line.
    #[must_use]
    pub fn announcement(&self) -> String {
        let names: Vec<&str> = self
            .workloads
            .iter()
            .map(|workload| workload.name)
            .collect();
        let (allocators, names) = (CONTESTANTS.len(), names.join(", "));
        match self.limit.end {
            Some(end) => {
                let seconds = end.saturating_duration_since(Instant::now()).as_secs_f64();
                format!("comparing {allocators} allocators on {names} for about {seconds:.0} s")
            }
            None => {
                let rounds = self.limit.most_rounds;
                format!("comparing {allocators} allocators on {names}, rounds: {rounds}")
            }
        }
    }
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// This many rounds are run whatever time they take.
    pub least_rounds: usize,
    /// No more rounds than this.
    pub most_rounds: usize,
    /// No round is begun that would probably end later than this.
    pub end: Option<Instant>,
}

/// One that takes part in every round.
#[derive(Clone, Copy)]
pub struct Entrant {
    /// How it is called in the table.
    pub label: &'static str,
    /// What it runs on.
    pub contestant: &'static Contestant,
}

/// What became of one entrant on one workload.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<F = Figures> {
    /// It did the work: its figures of each round.
    Measured(Vec<F>),
    /// It failed in this round (counted from 1), and was left out of the later ones.
    Failed {
        /// Counted from 1.
        round: usize,
        /// What happened, in half a line.
        reason: String,
    },
}

/// Every outcome on one workload.
pub struct Series {
    /// The workload.
    pub workload: &'static Workload,
    /// What the work comes to; found on `System` in a run that is not measured
    /// and also warms the page cache.
    pub checksum: u64,
    /// In the order of [`entrants`].
    pub outcomes: Vec<Outcome>,
}

/// All rounds together.
pub struct Measured {
    /// Rounds that were run to their end.
    pub rounds: usize,
    /// In the order of the plan.
    pub series: Vec<Series>,
}

/// What is about to be run, for whoever watches.
pub struct Step<'a> {
    /// Counted from 1; 0 while warming up.
    pub round: usize,
    /// Name of the workload.
    pub workload: &'a str,
    /// Label of the entrant.
    pub entrant: &'a str,
    /// How much of all is done, from 0 to 1.
    pub done: f64,
}

/// Everyone who takes part: the contestants, and after the baseline its copy.
#[must_use]
pub fn entrants() -> Vec<Entrant> {
    let mut entrants: Vec<Entrant> = CONTESTANTS
        .iter()
        .map(|contestant| Entrant {
            label: contestant.name,
            contestant,
        })
        .collect();
    entrants.insert(
        1,
        Entrant {
            label: CONTROL,
            contestant: BASELINE,
        },
    );
    entrants
}

/// Runs the plan.
///
/// # Errors
/// A sentence, if not even `System` can do the work.
pub fn run(plan: &Plan, corpus: &Corpus, mut watch: impl FnMut(Step)) -> Result<Measured, String> {
    let runner = Runner::new(plan.size, corpus)?;
    let entrants = entrants();
    let mut series = Vec::new();
    for workload in &plan.workloads {
        watch(Step::warming_up(workload));
        let sample = runner
            .run(workload, SYSTEM)
            .map_err(|reason| format!("{} on {}: {reason}", workload.name, SYSTEM.name))?;
        series.push(Series {
            workload,
            checksum: sample.checksum,
            outcomes: vec![Outcome::Measured(Vec::new()); entrants.len()],
        });
    }

    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let mut clock = Clock::new(plan.limit);
    let mut order: Vec<usize> = (0..entrants.len()).collect();
    let mut workload_order: Vec<usize> = (0..series.len()).collect();
    while clock.begin_round() {
        rng.shuffle(&mut workload_order);
        for (position, &workload) in workload_order.iter().enumerate() {
            let series = &mut series[workload];
            rng.shuffle(&mut order);
            for &index in &order {
                let (entrant, outcome) = (entrants[index], &mut series.outcomes[index]);
                if matches!(outcome, Outcome::Failed { .. }) {
                    continue;
                }
                watch(Step {
                    round: clock.rounds,
                    workload: series.workload.name,
                    entrant: entrant.label,
                    done: clock.done(position as f64 / workload_order.len() as f64),
                });
                let run = runner.run(series.workload, entrant.contestant);
                outcome.add(
                    clock.rounds,
                    run.and_then(|it| same_work(&it, series.checksum)),
                );
            }
        }
    }
    Ok(Measured {
        rounds: clock.rounds,
        series,
    })
}

/// A sample's figures, unless it is of other work than `System` did.
fn same_work(sample: &Sample, checksum: u64) -> Result<Figures, String> {
    if sample.checksum == checksum {
        Ok(sample.figures)
    } else {
        Err(format!(
            "did other work than {}: its checksum differs",
            SYSTEM.name
        ))
    }
}

impl Step<'_> {
    fn warming_up(workload: &'static Workload) -> Self {
        Self {
            round: 0,
            workload: workload.name,
            entrant: SYSTEM.name,
            done: 0.0,
        }
    }
}

impl<F> Outcome<F> {
    /// Adds the run of a round, or notes its failure.
    pub fn add(&mut self, round: usize, run: Result<F, String>) {
        match (run, self) {
            (Ok(figures), Self::Measured(runs)) => runs.push(figures),
            (Err(reason), outcome) => *outcome = Self::Failed { round, reason },
            (Ok(_), Self::Failed { .. }) => {}
        }
    }
}

/// Counts rounds and says whether one more is due.
pub struct Clock {
    limit: Limit,
    start: Instant,
    round_start: Instant,
    longest_round: Duration,
    /// Rounds begun.
    rounds: usize,
}

impl Clock {
    /// Starts now, before the first round.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        let now = Instant::now();
        Self {
            limit,
            start: now,
            round_start: now,
            longest_round: Duration::ZERO,
            rounds: 0,
        }
    }

    /// Ends the round before; says whether another one begins.
    pub fn begin_round(&mut self) -> bool {
        let now = Instant::now();
        if self.rounds > 0 {
            self.longest_round = self.longest_round.max(now - self.round_start);
        }
        let in_time = self
            .limit
            .end
            .is_none_or(|end| now + self.longest_round <= end);
        let due = self.rounds < self.limit.most_rounds
            && (in_time || self.rounds < self.limit.least_rounds);
        if due {
            self.rounds += 1;
            self.round_start = now;
        }
        due
    }

    /// Rounds begun.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// How much of everything is done, with this much of the current round.
    #[must_use]
    pub fn done(&self, of_round: f64) -> f64 {
        let by_rounds = ((self.rounds - 1) as f64 + of_round) / self.limit.most_rounds as f64;
        let by_time = self.limit.end.map_or(0.0, |end| {
            self.start.elapsed().as_secs_f64() / (end - self.start).as_secs_f64().max(0.001)
        });
        by_rounds.max(by_time).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds_run(limit: Limit) -> usize {
        let mut clock = Clock::new(limit);
        while clock.begin_round() {}
        clock.rounds
    }

    #[test]
    fn the_least_rounds_are_run_although_time_is_over() {
        let end = Some(Instant::now());
        assert_eq!(
            rounds_run(Limit {
                least_rounds: 6,
                most_rounds: usize::MAX,
                end
            }),
            6
        );
    }

    #[test]
    fn no_more_than_the_most_rounds_are_run() {
        assert_eq!(
            rounds_run(Limit {
                least_rounds: 3,
                most_rounds: 3,
                end: None
            }),
            3
        );
    }

    #[test]
    fn the_baseline_comes_first_and_its_copy_second() {
        let entrants = entrants();
        assert_eq!(entrants[0].label, BASELINE.name);
        assert_eq!(entrants[1].label, CONTROL);
        assert!(std::ptr::eq(entrants[1].contestant, BASELINE));
        assert_eq!(entrants.len(), CONTESTANTS.len() + 1);
    }

    #[test]
    fn other_work_is_a_failure_and_a_failure_stays_one() {
        let figures = Figures {
            cpu_us: 1,
            peak_rss_bytes: 1,
            wall_us: 1,
        };
        let sample = Sample {
            allocator: "seed".to_owned(),
            checksum: 7,
            figures,
        };
        let mut outcome = Outcome::Measured(Vec::new());
        outcome.add(1, same_work(&sample, 7));
        assert_eq!(outcome, Outcome::Measured(vec![figures]));
        outcome.add(2, same_work(&sample, 8));
        outcome.add(3, same_work(&sample, 7));
        assert!(matches!(outcome, Outcome::Failed { round: 2, .. }));
    }
}
