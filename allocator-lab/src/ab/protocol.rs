//! When to look, and what may be said then: pure functions, no clock, no I/O.
//!
//! A session runs A, a copy of A, and B in every round. It is looked at after some numbers of rounds
//! only, and stops as soon as all is decided: each look may be wrong a little, all together one time in
//! twenty. Whoever looks after every round and stops when it suits is wrong far more often.

use crate::report::Comparison;
use crate::statistics::{
    Confidence, Estimate, RESAMPLES, Verdict, control_differs, estimate_at, sign_flip, verdict,
};
use serde::Serialize;

/// A moment at which a session is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// After this many rounds.
    pub rounds: usize,
    /// How sure its intervals are.
    confidence: Confidence,
    /// How often it may be wrong.
    error: f64,
}

/// What samples may differ by so that 40 of them find 2 %, as a log-ratio.
const SAMPLE_NOISE: f64 = 0.012;

/// Most runs of a sample.
pub const REPEATS_MAX: usize = 16;

/// All of them. The last has the most to decide, so it has the most of the error.
pub const LOOKS: [Look; 3] = [
    Look {
        rounds: 10,
        confidence: Confidence::P99,
        error: 0.01,
    },
    Look {
        rounds: 20,
        confidence: Confidence::P99,
        error: 0.01,
    },
    Look {
        rounds: 40,
        confidence: Confidence::P97,
        error: 0.03,
    },
];

/// One figure of each of the three, by round.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Of A.
    pub a: Vec<f64>,
    /// Of its copy.
    pub copy: Vec<f64>,
    /// Of B.
    pub b: Vec<f64>,
}

/// What a look says of one figure.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Judgement {
    /// B to A and its copy.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// The copy to A: what noise does.
    pub control: Estimate,
    /// How often chance alone would set B as far apart.
    pub chance: f64,
}

impl Look {
    /// Judges the rounds so far. `None` without rounds.
    #[must_use]
    pub fn judge(&self, series: &Series, seed: u64) -> Option<Judgement> {
        self.judge_with(series, RESAMPLES, seed)
    }

    fn judge_with(&self, series: &Series, resamples: usize, seed: u64) -> Option<Judgement> {
        let rounds = series.a.len();
        let both = series.a.iter().zip(&series.copy);
        // A was run twice in each round: both say what it takes.
        let ratios = series.b.iter().zip(both.clone());
        let ratios = ratios.map(|(b, (a, copy))| log(*b) - (log(*a) + log(*copy)) / 2.0);
        let ratios: Vec<f64> = ratios.collect();
        let controls: Vec<f64> = both.map(|(a, copy)| log(*copy) - log(*a)).collect();

        let estimate = estimate_at(self.confidence, &ratios, resamples, seed)?;
        let control = estimate_at(self.confidence, &controls, resamples, seed)?;
        let chance = sign_flip(&ratios, resamples, seed);
        let verdict = match verdict(&estimate, rounds) {
            _ if control_differs(verdict(&control, rounds)) => Verdict::Withheld,
            // The interval leans on its resamples being like the rounds; this does not.
            Verdict::Better | Verdict::Worse if chance > self.error => Verdict::Inconclusive {
                more_rounds: rounds as u32,
            },
            other => other,
        };
        Some(Judgement {
            comparison: Comparison { estimate, verdict },
            control,
            chance,
        })
    }
}

/// Whether nothing that further rounds may change is left open.
#[must_use]
pub fn is_decided(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Better | Verdict::Same | Verdict::Worse)
}

/// The middle of a sample's runs: one that something else slowed down moves it little.
#[must_use]
pub fn middle(runs: &[f64]) -> f64 {
    let logs: Vec<f64> = runs.iter().map(|run| log(*run)).collect();
    estimate_at(Confidence::P95, &logs, 0, 0).map_or(0.0, |it| it.ratio)
}

/// Runs that a sample needs so that a difference of 2 % is found: more where runs differ more, told
/// from some runs of A.
#[must_use]
pub fn repeats(runs: &[f64]) -> usize {
    let logs: Vec<f64> = runs.iter().map(|run| log(*run)).collect();
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count - 1.0);
    if !variance.is_finite() {
        return 1;
    }
    ((variance / SAMPLE_NOISE.powi(2)).ceil() as usize).clamp(1, REPEATS_MAX)
}

/// Counts may be 0.
fn log(figure: f64) -> f64 {
    figure.max(1.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sessions that are simulated.
    const SESSIONS: u64 = 200;

    /// Runs of a sample: what [`repeats`] asks for where runs differ by 3.5 %.
    const REPEATS: usize = 9;

    /// Fewer than in life, for the time it takes.
    const FEW: usize = 1000;

    /// A standard normal number (sum of twelve uniforms: near enough, and bounded).
    fn normal(rng: &mut fastrand::Rng) -> f64 {
        (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
    }

    /// A session on a machine as it was measured: 3 % of drift that a round shares, `noise` of each
    /// run, and now and then a run that something else slowed down by a tenth.
    fn session(rng: &mut fastrand::Rng, noise: f64, effect: f64) -> Verdict {
        let mut series = Series::default();
        let mut last = Verdict::Withheld;
        for look in &LOOKS {
            while series.a.len() < look.rounds {
                let drift = 0.03 * normal(rng);
                let mut sample = |effect: f64| {
                    let runs = (0..REPEATS).map(|_| {
                        let slowed = if rng.u8(..20) == 0 { 0.1 } else { 0.0 };
                        1e6 * (drift + slowed + effect + noise * normal(rng)).exp()
                    });
                    middle(&runs.collect::<Vec<_>>())
                };
                series.a.push(sample(0.0));
                series.copy.push(sample(0.0));
                series.b.push(sample(effect));
            }
            let judgement = look.judge_with(&series, FEW, rng.u64(..)).unwrap();
            last = judgement.comparison.verdict;
            if is_decided(last) {
                break;
            }
        }
        last
    }

    /// How many sessions of an effect end so.
    fn count(noise: f64, effect: f64, is_counted: fn(Verdict) -> bool) -> u64 {
        let seed = 40;
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let sessions = (0..SESSIONS).map(|_| session(&mut rng, noise, effect));
        sessions.filter(|verdict| is_counted(*verdict)).count() as u64
    }

    fn is_a_difference(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Better | Verdict::Worse)
    }

    #[test]
    fn equal_ones_are_told_apart_in_at_most_a_twentieth_of_the_sessions() {
        for noise in [0.005, 0.035, 0.1] {
            let wrong = count(noise, 0.0, is_a_difference);
            assert!(wrong <= SESSIONS / 20, "{noise}: {wrong}");
        }
    }

    #[test]
    fn those_at_the_margin_are_told_apart_in_at_most_a_twentieth_too() {
        let wrong = count(0.035, 1.01_f64.ln(), is_a_difference);
        assert!(wrong <= SESSIONS / 20, "{wrong}");
    }

    #[test]
    fn two_percent_more_are_found_nine_times_in_ten() {
        let found = count(0.035, 1.02_f64.ln(), |verdict| verdict == Verdict::Worse);
        assert!(found >= SESSIONS * 9 / 10, "{found}");
    }

    #[test]
    fn equal_ones_on_a_quiet_machine_are_the_same() {
        let same = count(0.01, 0.0, |verdict| verdict == Verdict::Same);
        assert!(same >= SESSIONS * 9 / 10, "{same}");
    }

    #[test]
    fn runs_that_differ_more_are_repeated_more() {
        let runs = |noise: f64| [1.0, 1.0 + noise, 1.0 - noise].map(|it| it * 1e6);
        assert_eq!(repeats(&runs(0.001)), 1);
        assert_eq!(repeats(&runs(0.035)), REPEATS);
        assert_eq!(repeats(&runs(0.5)), REPEATS_MAX);
        assert_eq!(repeats(&[7.0]), 1);
    }

    #[test]
    fn one_slow_run_moves_a_sample_little() {
        let found = middle(&[100.0, 101.0, 99.0, 100.0, 300.0]);
        assert!((99.0..103.0).contains(&found), "{found}");
    }

    #[test]
    fn where_the_copy_differs_nothing_is_said() {
        let series = Series {
            a: (0..10).map(|round| 1000.0 + f64::from(round)).collect(),
            copy: (0..10).map(|round| 1100.0 + f64::from(round)).collect(),
            b: (0..10).map(|round| 2000.0 + f64::from(round)).collect(),
        };
        let judgement = LOOKS[0].judge(&series, 1).unwrap();
        assert_eq!(judgement.comparison.verdict, Verdict::Withheld);
        assert!(judgement.control.ratio > 1.05);
    }

    #[test]
    fn no_faults_at_all_are_the_same() {
        let series = Series {
            a: vec![0.0; 10],
            copy: vec![0.0; 10],
            b: vec![0.0; 10],
        };
        let judgement = LOOKS[0].judge(&series, 1).unwrap();
        assert_eq!(judgement.comparison.verdict, Verdict::Same);
        assert!(LOOKS[0].judge(&Series::default(), 1).is_none());
    }

    #[test]
    fn the_looks_together_are_wrong_one_time_in_twenty() {
        let error: f64 = LOOKS.iter().map(|look| look.error).sum();
        assert!((error - 0.05).abs() < 1e-12);
    }
}
