//! From runs to a table of classes, or to the advice to keep the default's.

use super::demand::{Demand, Mix};
use super::histogram::Histogram;
use super::ladder::{self, Ladder};
use super::pages::Pages;
use super::replay::Held;
use super::rules::Rules;
use allocator_core::Config;
use serde::Serialize;

/// Fewer allocations than this tell little.
pub const LEAST_ALLOCATIONS: u64 = 10_000;

/// Less memory than this is not worth a table of its own.
pub const LEAST_PEAK_BYTES: u64 = 4 << 20;

/// What is emitted takes at most this part of the default's memory, in every run that it was not
/// fitted to.
const MOST_RATIO: f64 = 1.01;

/// A table that saves less than this part of the memory is not worth a declaration.
const LEAST_SAVED: f64 = 0.01;

/// What is tried, until the runs that were kept apart agree: more of the prior, then more classes than
/// pay.
const TRIES: [Try; 4] = [
    Try {
        prior: 0.1,
        pays: true,
    },
    Try {
        prior: 0.3,
        pays: true,
    },
    Try {
        prior: 0.1,
        pays: false,
    },
    Try {
        prior: 0.3,
        pays: false,
    },
];

/// A way to fit.
#[derive(Debug, Clone, Copy)]
struct Try {
    /// The part of the prior.
    prior: f64,
    /// Whether each class must save its price.
    pays: bool,
}

/// What matters most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The peak.
    Memory,
    /// The peak, and few pages for little.
    Balanced,
    /// Few pages, and what is allocated most.
    Speed,
}

/// As many as an index holds.
pub const CLASSES_MAX: usize = 256;

/// Most classes if no number is given: what the default has about.
pub const DEFAULT_CLASSES: usize = 48;

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// What matters most.
    pub objective: Objective,
    /// Most classes.
    pub most_classes: usize,
    /// What every block must be aligned to.
    pub quantum: usize,
}

/// Of who says nothing.
impl Default for Wish {
    fn default() -> Self {
        Self {
            objective: Objective::Balanced,
            most_classes: DEFAULT_CLASSES,
            quantum: 8,
        }
    }
}

/// A run that was measured.
#[derive(Debug, Clone)]
pub struct Run {
    /// What it is called.
    pub name: String,
    /// What it asked for.
    pub histogram: Histogram,
    /// Most threads that allocated.
    pub threads: u64,
}

/// What became of a run: under the default's classes and under the fitted ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The run's name.
    pub run: String,
    /// Whether the classes were not fitted to it.
    pub held_out: bool,
    /// Under the default's classes.
    pub default: Held,
    /// Under the fitted ones.
    pub fitted: Held,
}

/// How good the best table of so many classes is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// How many classes.
    pub classes: usize,
    /// Mean waste of the training runs, 0 to 1.
    pub training_waste: f64,
    /// Mean waste of the runs that were kept apart, 0 to 1; null without them.
    pub holdout_waste: Option<f64>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Declare these classes.
    Declare,
    /// Keep the default's: the fitted ones would save too little.
    KeepForLittle,
    /// Keep the default's: in a run that was kept apart, the fitted ones take more memory.
    KeepForHoldout,
}

/// The best table that was found, and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// Whether to use it.
    pub advice: Advice,
    /// Bytes of the classes, ascending.
    pub classes: Vec<usize>,
    /// Those that are there for an alignment.
    pub kept: Vec<usize>,
    /// The part of the prior.
    pub prior: f64,
    /// Bytes of memory that a class must save to be one.
    pub price_bytes: f64,
    /// Tables before this one that took more memory in a run that was kept apart.
    pub failed_tries: usize,
    /// Bytes of memory that one class more would save on the training runs; null at the largest
    /// number that was looked at.
    pub next_saves_bytes: Option<f64>,
    /// The runs, training first.
    pub outcomes: Vec<Outcome>,
    /// Waste against the number of classes.
    pub curve: Vec<Point>,
}

impl Objective {
    fn mix(self, prior: f64) -> Mix {
        let (peak, mean, flow) = match self {
            Self::Memory => (0.75, 0.15, 0.1),
            Self::Balanced => (0.6, 0.3, 0.1),
            Self::Speed => (0.3, 0.3, 0.4),
        };
        Mix {
            peak,
            mean,
            flow,
            prior,
        }
    }

    /// Bytes that a class costs: half of an extension, for each thread that has blocks of it. Who
    /// wants speed would rather have fewer pages, and fewer bins in the cache.
    fn price_bytes(self, threads: u64) -> f64 {
        let kibibytes = match self {
            Self::Memory => 4,
            Self::Balanced => 8,
            Self::Speed => 32,
        };
        f64::from(kibibytes << 10) * threads.max(1) as f64
    }
}

impl Outcome {
    /// The memory under the fitted classes as a part of that under the default's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.default.resident_bytes == 0.0 {
            return 1.0;
        }
        self.fitted.resident_bytes / self.default.resident_bytes
    }
}

impl Choice {
    /// The memory under the fitted classes as a part of that under the default's, on average over the runs that were
    /// kept apart, which tell the truth, or over the training runs where there are no others.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        let ratio = self.mean(true, Outcome::ratio);
        let ratio = ratio.or_else(|| self.mean(false, Outcome::ratio));
        ratio.unwrap_or(1.0)
    }

    /// The names of runs that were kept apart and fitted to all the same.
    pub fn held_out_of_training(&self) -> impl Iterator<Item = &str> {
        let is_fitted_to = |name: &str| {
            let mut runs = self.outcomes.iter();
            runs.any(|it| !it.held_out && it.run == name)
        };
        let held_out = self.outcomes.iter().filter(|it| it.held_out);
        let names = held_out.map(|it| it.run.as_str());
        names.filter(move |name| is_fitted_to(name))
    }

    /// The mean over the training runs, or over those that were kept apart; `None` without such.
    #[must_use]
    pub fn mean(&self, held_out: bool, figure: impl Fn(&Outcome) -> f64) -> Option<f64> {
        let runs = self.outcomes.iter().filter(|it| it.held_out == held_out);
        mean(runs.map(figure))
    }
}

/// The best classes for the training runs, if the others agree. The default is what is compared with,
/// and whose pages and largest class they have.
///
/// # Errors
/// Why there is no such table.
pub fn choose(
    training: &[Run],
    held_out: &[Run],
    default: &Config,
    wish: Wish,
) -> Result<Choice, String> {
    let first = fit(training, held_out, default, wish, TRIES[0])?;
    if first.advice != Advice::KeepForHoldout {
        return Ok(first);
    }
    for (failed, way) in (1..).zip(&TRIES[1..]) {
        let choice = fit(training, held_out, default, wish, *way)?;
        // A table that was looked for until it passed must save something, not only do no harm.
        if choice.advice == Advice::Declare {
            return Ok(Choice {
                failed_tries: failed,
                ..choice
            });
        }
    }
    Ok(Choice {
        failed_tries: TRIES.len(),
        ..first
    })
}

/// What to say when there is no ladder of so many classes, by those of up to `most` that are looked for.
fn too_few(most_classes: usize, ladders: impl Fn(usize) -> Vec<Option<Ladder>>) -> String {
    let are = match most_classes {
        1 => "1 class is".to_owned(),
        more => format!("{more} classes are"),
    };
    let least = ladders(CLASSES_MAX).iter().position(Option::is_some);
    let least = match least {
        Some(index) => format!("{} or more", index + 1),
        None => format!("more than {CLASSES_MAX}"),
    };
    format!(
        "{are} too few: with gaps that waste at most a third and a class for each alignment, it takes {least}"
    )
}

/// The same in one way.
fn fit(
    training: &[Run],
    held_out: &[Run],
    default: &Config,
    wish: Wish,
    way: Try,
) -> Result<Choice, String> {
    let pages = Pages::of(default);
    let runs: Vec<&Histogram> = training.iter().map(|run| &run.histogram).collect();
    let rules = Rules::of(&runs, default.max_class_bytes(), wish.quantum);
    let mix = wish.objective.mix(way.prior);
    let demand = Demand::of(&runs, &mix, rules.max_bytes);
    let ladders = ladder::solve(&rules.rungs(&demand, &pages), wish.most_classes + 1);

    let threads = training.iter().map(|run| run.threads).max().unwrap_or(1);
    let price_bytes = match way.pays {
        true => wish.objective.price_bytes(threads),
        false => 0.0,
    };
    let possible = ladders[..wish.most_classes].iter().flatten();
    let priced = |ladder: &Ladder| ladder.cost + price_bytes * ladder.classes.len() as f64;
    let best = possible.min_by(|a, b| priced(a).total_cmp(&priced(b)));
    let Some(best) = best else {
        return Err(too_few(wish.most_classes, |most| {
            ladder::solve(&rules.rungs(&demand, &pages), most)
        }));
    };

    let default_classes: Vec<usize> = default.class_bytes.iter().map(|it| *it as usize).collect();
    let outcome = |held_out| {
        let (default_classes, pages) = (&default_classes, &pages);
        move |run: &Run| Outcome {
            run: run.name.clone(),
            held_out,
            default: Held::by(&run.histogram, default_classes, pages),
            fitted: Held::by(&run.histogram, &best.classes, pages),
        }
    };
    let outcomes: Vec<Outcome> = training
        .iter()
        .map(outcome(false))
        .chain(held_out.iter().map(outcome(true)))
        .collect();
    let waste = |runs: &[Run], ladder: &Ladder| {
        let held = runs.iter();
        mean(held.map(|run| Held::by(&run.histogram, &ladder.classes, &pages).waste()))
    };
    let curve = ladders.iter().take(wish.most_classes).flatten();
    let curve = curve.map(|ladder| Point {
        classes: ladder.classes.len(),
        training_waste: waste(training, ladder).unwrap_or(0.0),
        holdout_waste: waste(held_out, ladder),
    });
    let next = ladders.get(best.classes.len()).and_then(Option::as_ref);
    let mut choice = Choice {
        advice: Advice::Declare,
        classes: best.classes.clone(),
        kept: rules.kept.clone(),
        prior: way.prior,
        price_bytes,
        failed_tries: 0,
        next_saves_bytes: next.map(|next| best.cost - next.cost),
        outcomes,
        curve: curve.collect(),
    };
    choice.advice = advice(&choice);
    Ok(choice)
}

fn advice(choice: &Choice) -> Advice {
    if choice
        .outcomes
        .iter()
        .any(|it| it.held_out && it.ratio() > MOST_RATIO)
    {
        return Advice::KeepForHoldout;
    }
    if choice.ratio() > 1.0 - LEAST_SAVED {
        return Advice::KeepForLittle;
    }
    Advice::Declare
}

fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let figures: Vec<f64> = figures.collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Counts, Profile, Request};
    use allocator_core::derive_allocator;

    #[derive_allocator(size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB))]
    struct Before;

    fn run(name: &str, rows: &[(u64, u64)]) -> Run {
        let rows = rows.iter().map(|&(size, live)| {
            let counts = Counts {
                allocations: live * 2,
                live_at_peak: live,
                live_mean_thousandths: live * 700,
            };
            (Request { size, align: 8 }, counts)
        });
        Run {
            name: name.to_owned(),
            histogram: Histogram::of(&Profile::of_run(1, rows).unwrap(), Wish::default().quantum),
            threads: 1,
        }
    }

    fn choose(training: &[Run], held_out: &[Run]) -> Choice {
        super::choose(training, held_out, &Before::CONFIG, Wish::default()).unwrap()
    }

    #[test]
    fn records_that_fall_between_the_default_classes_get_their_own() {
        let run = run("one", &[(24, 10_000), (264, 20_000), (4368, 900)]);
        let choice = choose(std::slice::from_ref(&run), std::slice::from_ref(&run));
        assert_eq!(choice.advice, Advice::Declare);
        for size in [24, 264, 4368] {
            assert!(choice.classes.contains(&size), "{:?}", choice.classes);
        }
        let [training, held_out] = &choice.outcomes[..] else {
            panic!("two runs");
        };
        assert!(!training.held_out && held_out.held_out);
        assert!(training.ratio() < 0.92 && training.fitted.waste() < 0.001);
        assert!(training.default.waste() > 0.1);
    }

    #[test]
    fn classes_that_fit_already_are_kept() {
        let run = run("one", &[(32, 10_000), (256, 20_000), (4096, 900)]);
        let choice = choose(std::slice::from_ref(&run), &[]);
        assert_eq!(choice.advice, Advice::KeepForLittle);
    }

    #[test]
    fn a_run_kept_apart_that_would_take_more_memory_decides() {
        // The other run has what the default's classes fit to the byte, and the fitted ones do not.
        let training = run("one", &[(264, 20_000), (1096, 5000)]);
        let rows: Vec<(u64, u64)> = (0..4).map(|i| (20_480 + 4096 * i, 300)).collect();
        let choice = choose(&[training], &[run("other", &rows)]);
        assert_eq!(choice.advice, Advice::KeepForHoldout);
        assert!(choice.outcomes[1].ratio() > 1.01);
    }

    #[test]
    fn more_classes_than_pay_are_tried_before_the_default_is_kept() {
        // Little memory, so few classes pay; the other run has more blocks, of a size between them.
        let training = run("one", &[(264, 2000), (1096, 500), (20_480, 2)]);
        let other = run("other", &[(264, 2000), (1096, 500), (20_480, 200)]);
        let choice = choose(std::slice::from_ref(&training), &[other]);
        assert_eq!(choice.advice, Advice::Declare);
        assert!(
            choice.failed_tries > 0 && choice.classes.len() > 30,
            "{choice:?}"
        );
    }

    #[test]
    fn a_dearer_class_makes_fewer_of_them() {
        let rows: Vec<(u64, u64)> = (1..400).map(|i| (i * 8, 30)).collect();
        let run = run("one", &rows);
        let with = |objective| {
            let wish = Wish {
                objective,
                ..Wish::default()
            };
            let runs = std::slice::from_ref(&run);
            super::choose(runs, &[], &Before::CONFIG, wish).unwrap()
        };
        let (memory, speed) = (with(Objective::Memory), with(Objective::Speed));
        assert!(speed.classes.len() < memory.classes.len());
        assert!(speed.next_saves_bytes.unwrap() <= speed.price_bytes);
    }

    #[test]
    fn more_classes_never_waste_more_in_training() {
        let rows: Vec<(u64, u64)> = (1..400).map(|i| (i * 40, 30)).collect();
        let runs = [run("one", &rows)];
        let peak = Mix {
            peak: 1.0,
            mean: 0.0,
            flow: 0.0,
            prior: 0.0,
        };
        let pages = Pages::of(&Before::CONFIG);
        let histograms = [&runs[0].histogram];
        let demand = Demand::of(&histograms, &peak, 32 << 10);
        let rungs = Rules::of(&histograms, 32 << 10, 8).rungs(&demand, &pages);
        let costs: Vec<f64> = ladder::solve(&rungs, 64)
            .into_iter()
            .flatten()
            .map(|it| it.cost)
            .collect();
        assert!(
            costs.len() > 30 && costs.windows(2).all(|pair| pair[1] <= pair[0]),
            "{costs:?}"
        );
    }

    #[test]
    fn too_few_classes_say_how_many_it_takes() {
        let wish = Wish {
            most_classes: 3,
            ..Wish::default()
        };
        let runs = [run("one", &[(8, 10)])];
        let mistake = super::choose(&runs, &[], &Before::CONFIG, wish).unwrap_err();
        assert!(mistake.starts_with("3 classes are too few"), "{mistake}");
    }
}
