//! The rounds of a session: A, its copy and B, one process for each run, in random order.

use super::protocol::{LOOKS, Look, Series, is_decided, middle, repeats};
use super::side::Side;
use crate::programs::process::Ended;
use crate::rounds::Step;
use crate::statistics::Verdict;

/// Runs of A before the first round: the first fills the page cache, the others tell how far runs
/// differ.
const FIRST_RUNS: usize = 6;

/// What is observed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// CPU time of all its processes, in microseconds.
    Cpu,
    /// The peak of its largest process, in bytes.
    PeakRss,
    /// Time by the clock, in microseconds.
    Wall,
    /// Pages that the kernel had to give.
    Faults,
}

/// All of them; those that decide stand first.
pub const METRICS: [Metric; 4] = [Metric::Cpu, Metric::PeakRss, Metric::Wall, Metric::Faults];

/// The metrics that a verdict on the whole is made of.
pub const DECIDING: [Metric; 2] = [Metric::Cpu, Metric::PeakRss];

/// How to run.
pub struct Plan {
    /// A, its copy, and B.
    pub sides: [Side; 3],
    /// How the command is called.
    pub name: String,
    /// No more rounds than this: one of [`LOOKS`].
    pub most_rounds: usize,
    /// Runs of each sample, if that was said.
    pub repeats: Option<usize>,
    /// Where the random order and the resamples start from.
    pub seed: u64,
}

/// What was found.
pub struct Measured {
    /// The last look.
    pub look: Look,
    /// In the order of [`METRICS`].
    pub series: [Series; 4],
    /// Runs of each sample.
    pub repeats: usize,
    /// Whether B said something else than A, who said the same each time.
    pub output_differs: bool,
}

impl Metric {
    fn of(self, ended: &Ended) -> f64 {
        match self {
            Self::Cpu => ended.figures.cpu_us as f64,
            Self::PeakRss => ended.figures.peak_rss_bytes as f64,
            Self::Wall => ended.figures.wall_us as f64,
            Self::Faults => ended.faults as f64,
        }
    }
}

/// Names of the sides.
const NAMES: [&str; 3] = ["A", "A′", "B"];

/// Runs rounds until all that decides is decided, or there are enough.
///
/// # Errors
/// Which side failed and how, in a line.
pub fn run(plan: &Plan, mut watch: impl FnMut(Step)) -> Result<Measured, String> {
    let mut outputs = Outputs::default();
    let one = |side: usize, outputs: &mut Outputs| -> Result<Ended, String> {
        let ended = plan.sides[side].run();
        let ended = ended.map_err(|reason| format!("{} {reason}", NAMES[side]))?;
        outputs.add(side, ended.output);
        Ok(ended)
    };

    let mut first = Vec::new();
    for run in 0..FIRST_RUNS {
        watch(step(plan, 0, NAMES[0], 0.0));
        let ended = one(0, &mut outputs)?;
        if run > 0 {
            first.push(Metric::Cpu.of(&ended));
        }
    }
    // That B can be run at all is known before the long part.
    one(2, &mut outputs)?;
    let repeats = plan.repeats.unwrap_or_else(|| repeats(&first));

    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let mut series: [Series; 4] = Default::default();
    let looks = LOOKS.iter().filter(|look| look.rounds <= plan.most_rounds);
    let mut last = LOOKS[0];
    for look in looks {
        last = *look;
        while series[0].a.len() < look.rounds {
            let round = series[0].a.len();
            let mut runs: [Vec<Ended>; 3] = Default::default();
            let mut order = [0, 1, 2];
            for repeat in 0..repeats {
                rng.shuffle(&mut order);
                for side in order {
                    let part = repeat as f64 / repeats as f64;
                    let done = (round as f64 + part) / plan.most_rounds as f64;
                    watch(step(plan, round + 1, NAMES[side], done));
                    runs[side].push(one(side, &mut outputs)?);
                }
            }
            for (metric, series) in METRICS.iter().zip(&mut series) {
                let sample = |side: usize| {
                    let figures = runs[side].iter().map(|ended| metric.of(ended));
                    middle(&figures.collect::<Vec<_>>())
                };
                series.a.push(sample(0));
                series.copy.push(sample(1));
                series.b.push(sample(2));
            }
        }
        let verdict = |metric: usize| {
            let judgement = look.judge(&series[metric], plan.seed);
            judgement.map_or(Verdict::Withheld, |it| it.comparison.verdict)
        };
        if (0..DECIDING.len()).all(|metric| is_decided(verdict(metric))) {
            break;
        }
    }
    Ok(Measured {
        look: last,
        series,
        repeats,
        output_differs: outputs.differ(),
    })
}

fn step<'a>(plan: &'a Plan, round: usize, entrant: &'a str, done: f64) -> Step<'a> {
    Step {
        round,
        workload: &plan.name,
        entrant,
        done,
    }
}

/// What the sides said: the first output of each, and whether there were others.
#[derive(Default)]
struct Outputs {
    first: [Option<u64>; 3],
    varies: [bool; 3],
}

impl Outputs {
    fn add(&mut self, side: usize, output: u64) {
        let first = *self.first[side].get_or_insert(output);
        self.varies[side] |= first != output;
    }

    /// Whether B says something else than A, which says the same each time.
    fn differ(&self) -> bool {
        let a_is_sure = !self.varies[0] && !self.varies[1];
        a_is_sure && (self.varies[2] || self.first[2] != self.first[0])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ab::protocol::LOOKS;
    use crate::ab::side::Named;

    /// A session that ended at the first look, in which A took about `most` of everything, and B the
    /// given parts of that.
    pub(crate) fn measured(most: f64, parts: [f64; 4]) -> Measured {
        let samples = |part: f64| -> Vec<f64> {
            let rounds = 0..LOOKS[0].rounds;
            rounds
                .map(|round| most * part * (1.0 + 0.0001 * round as f64))
                .collect()
        };
        let series = |part| Series {
            a: samples(1.0),
            copy: samples(1.0),
            b: samples(part),
        };
        Measured {
            look: LOOKS[0],
            series: parts.map(series),
            repeats: 3,
            output_differs: false,
        }
    }

    fn measure(a: &str, b: &str, most_rounds: usize) -> Result<Measured, String> {
        let side = |text: &str| {
            Named::parse(&format!("cmd:{text}"))
                .unwrap()
                .prepare(&[], 60)
        };
        let a = side(a)?;
        let plan = Plan {
            sides: [a.copy()?, a, side(b)?],
            name: "test".to_owned(),
            most_rounds,
            repeats: Some(1),
            seed: 1,
        };
        run(&plan, |_| {})
    }

    #[test]
    fn each_round_has_a_sample_of_each_side_in_every_metric() {
        let measured = measure("true", "true", 10).unwrap();
        assert_eq!((measured.look.rounds, measured.repeats), (10, 1));
        for series in &measured.series {
            for samples in [&series.a, &series.copy, &series.b] {
                assert!(
                    samples.len() == 10 && samples.iter().all(|it| *it >= 1.0),
                    "{samples:?}"
                );
            }
        }
        assert!(!measured.output_differs);
    }

    #[test]
    fn who_takes_far_more_memory_is_found_out() {
        let large = "dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null";
        let measured = measure("true", large, 10).unwrap();
        let judgement = measured.look.judge(&measured.series[1], 1).unwrap();
        assert!(judgement.comparison.estimate.ratio > 5.0);
    }

    #[test]
    fn an_output_of_its_own_is_noticed_and_one_that_varies_is_not() {
        assert!(measure("echo 1", "echo 2", 10).unwrap().output_differs);
        assert!(!measure("echo $$", "echo 2", 10).unwrap().output_differs);
    }

    #[test]
    fn a_side_that_fails_is_named() {
        let mistake = measure("true", "echo no >&2; exit 3", 10).err().unwrap();
        assert_eq!(mistake, "B crashed: exit status: 3: no");
    }
}
