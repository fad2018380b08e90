//! From paired rounds to a verdict: pure functions, no clock, no I/O.
//!
//! Each round gives one log-ratio (candidate over baseline). The estimate is
//! Hodges-Lehmann: the median of all pairwise averages, which a slow outlier
//! among the rounds moves little. Its interval is a bootstrap over rounds. A
//! verdict is given only when the whole interval says the same thing.

use serde::Serialize;

/// Ratios this close to 1 count as equal: ±1 %, as a log-ratio.
const MARGIN: f64 = 0.009_950_330_853_168_09; // ln(1.01)

/// Resamples that an interval is made from.
pub const RESAMPLES: usize = 10_000;

/// Fewest rounds that a verdict is given on.
///
/// Five paired rounds all lie on one side of the truth once in 16 times, six
/// once in 32: with fewer than six no interval inside the data reaches 95 %.
pub const MIN_ROUNDS: usize = 6;

/// How sure an interval is of holding the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// What a standard normal exceeds, on one side, as often as the interval misses on one.
    normal: f64,
}

/// A ratio of candidate to baseline with its interval, of 95 % where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Hodges-Lehmann estimate of the ratio; below 1 the candidate took less.
    pub ratio: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval; infinite (in JSON: null) after one round.
    pub high: f64,
}

/// A typical value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Typical {
    /// Hodges-Lehmann estimate of the values' median, by logarithm.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval; infinite (in JSON: null) after one round.
    pub high: f64,
}

/// What an interval allows to be said. Less is better for every metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum Verdict {
    /// The whole interval is below -1 %.
    Better,
    /// The whole interval is within ±1 %.
    Same,
    /// The whole interval is above +1 %.
    Worse,
    /// The interval allows more than one of the others.
    Inconclusive {
        /// Rounds to add to these until the interval is probably short enough.
        more_rounds: u32,
    },
    /// The baseline and its copy differ, so the machine was not quiet enough to judge.
    Withheld,
}

impl Confidence {
    /// 95 %.
    pub const P95: Self = Self { normal: 1.959_964 };
    /// 97 %.
    pub const P97: Self = Self { normal: 2.170_090 };
    /// 99 %.
    pub const P99: Self = Self { normal: 2.575_829 };

    /// The same point of Student's distribution. For what is not in the table, Cornish and Fisher's
    /// expansion: from nine degrees on within a hundredth.
    fn student(self, degrees: usize) -> f64 {
        if self == Self::P95 {
            return student_975(degrees);
        }
        let (z, n) = (self.normal, degrees as f64);
        let square = z * z;
        z + z * (square + 1.0) / (4.0 * n)
            + z * ((5.0 * square + 16.0) * square + 3.0) / (96.0 * n * n)
            + z * (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / (384.0 * n * n * n)
    }
}

/// Estimates the ratio behind paired rounds, each given as `ln(candidate / baseline)`.
///
/// `None` without rounds; from a single one, any interval. The resamples are drawn from `seed`, so equal input
/// gives equal output.
#[must_use]
pub fn estimate(log_ratios: &[f64], resamples: usize, seed: u64) -> Option<Estimate> {
    estimate_at(Confidence::P95, log_ratios, resamples, seed)
}

/// The same with an interval that is as sure as one likes.
#[must_use]
pub fn estimate_at(
    confidence: Confidence,
    log_ratios: &[f64],
    resamples: usize,
    seed: u64,
) -> Option<Estimate> {
    let walsh = Walsh::new(log_ratios)?;
    let rounds = log_ratios.len();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut counts = vec![0_u32; rounds];
    let mut medians: Vec<f64> = (0..resamples)
        .map(|_| {
            counts.fill(0);
            for _ in 0..rounds {
                counts[rng.usize(..rounds)] += 1;
            }
            walsh.median(&counts)
        })
        .collect();
    medians.sort_unstable_by(f64::total_cmp);

    counts.fill(1);
    let point = walsh.median(&counts);
    if rounds < 2 {
        return Some(Estimate {
            ratio: point.exp(),
            low: 0.0,
            high: f64::INFINITY,
        });
    }
    let tail = tail_probability(confidence, rounds);
    let below = (tail * resamples as f64) as usize;
    let at = |index: usize| medians.get(index).copied().unwrap_or(point);
    Some(Estimate {
        ratio: point.exp(),
        low: at(below).min(point).exp(),
        high: at(resamples.saturating_sub(below + 1)).max(point).exp(),
    })
}

/// How often signs by chance would set these values as far to one side, each counted by its rank among
/// their amounts: the smaller, the less the signs are chance. Between 0 and 1, never 0.
///
/// By the amounts themselves, one round that something else slowed down by a half hid 2 % in 39 others.
#[must_use]
pub fn sign_flip(log_ratios: &[f64], flips: usize, seed: u64) -> f64 {
    let mut rng = fastrand::Rng::with_seed(seed);
    let ranks = signed_ranks(log_ratios);
    let found = ranks.iter().sum::<f64>().abs();
    let as_much = |_: &usize| {
        let flipped = ranks.iter().map(|it| if rng.bool() { *it } else { -it });
        flipped.sum::<f64>().abs() >= found
    };
    let count = (0..flips).filter(as_much).count();
    (count + 1) as f64 / (flips + 1) as f64
}

/// The ranks of the amounts, from 1, each with its value's sign; those that are equal share theirs, and 0
/// is on no side.
fn signed_ranks(values: &[f64]) -> Vec<f64> {
    let mut amounts: Vec<f64> = values.iter().map(|it| it.abs()).collect();
    amounts.sort_unstable_by(f64::total_cmp);
    let rank = |amount: f64| {
        let below = amounts.partition_point(|it| *it < amount);
        let up_to = amounts.partition_point(|it| *it <= amount);
        (below + 1 + up_to) as f64 / 2.0
    };
    let signed = values.iter().map(|it| match *it {
        0.0 => 0.0,
        value => rank(value.abs()).copysign(value),
    });
    signed.collect()
}

/// What is typical of these values, all above 0. `None` without values.
#[must_use]
pub fn typical(values: impl Iterator<Item = f64>, resamples: usize, seed: u64) -> Option<Typical> {
    let logarithms: Vec<f64> = values.map(f64::ln).collect();
    let Estimate { ratio, low, high } = estimate(&logarithms, resamples, seed)?;
    Some(Typical {
        value: ratio,
        low,
        high,
    })
}

/// Judges an estimate made from `rounds` rounds.
#[must_use]
pub fn verdict(estimate: &Estimate, rounds: usize) -> Verdict {
    let (low, high) = (estimate.low.ln(), estimate.high.ln());
    if rounds < MIN_ROUNDS {
        return Verdict::Inconclusive {
            more_rounds: (MIN_ROUNDS - rounds) as u32,
        };
    }
    if high < -MARGIN {
        Verdict::Better
    } else if low > MARGIN {
        Verdict::Worse
    } else if low >= -MARGIN && high <= MARGIN {
        Verdict::Same
    } else {
        Verdict::Inconclusive {
            more_rounds: more_rounds(estimate, rounds),
        }
    }
}

/// Whether the baseline and its copy differ by the standard that candidates are held to.
#[must_use]
pub fn control_differs(control: Verdict) -> bool {
    matches!(control, Verdict::Better | Verdict::Worse)
}

/// Rounds to add until the interval, shrinking with the root of their number,
/// no longer reaches the nearer margin. At least one.
fn more_rounds(estimate: &Estimate, rounds: usize) -> u32 {
    let point = estimate.ratio.ln();
    let room = (point.abs() - MARGIN).abs();
    let reach = if point > MARGIN {
        point - estimate.low.ln()
    } else if point < -MARGIN {
        estimate.high.ln() - point
    } else {
        (estimate.high.ln() - point).max(point - estimate.low.ln())
    };
    let needed = rounds as f64 * (reach / room).powi(2);
    // The conversion saturates: a point on the margin itself needs "all of them".
    (needed.ceil() as u32).saturating_sub(rounds as u32).max(1)
}

/// All pairwise averages (each pair once, each value with itself), sorted, so
/// that the Hodges-Lehmann estimate of any resample is one weighted scan.
struct Walsh {
    /// Average and the two rounds that it is of, ascending by average.
    averages: Vec<(f64, usize, usize)>,
    /// Rounds in the sample.
    rounds: u64,
}

impl Walsh {
    fn new(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let mut averages = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
        for (i, first) in values.iter().enumerate() {
            for (j, second) in values.iter().enumerate().skip(i) {
                averages.push(((first + second) / 2.0, i, j));
            }
        }
        averages.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Some(Self {
            averages,
            rounds: values.len() as u64,
        })
    }

    /// Median of the pairwise averages of a resample that holds round `i` `counts[i]` times.
    fn median(&self, counts: &[u32]) -> f64 {
        let pairs = self.rounds * (self.rounds + 1) / 2;
        let (lower_rank, upper_rank) = ((pairs - 1) / 2, pairs / 2);
        let mut lower = None;
        let mut seen = 0;
        for &(average, i, j) in &self.averages {
            let (a, b) = (u64::from(counts[i]), u64::from(counts[j]));
            seen += if i == j { a * (a + 1) / 2 } else { a * b };
            if lower.is_none() && seen > lower_rank {
                lower = Some(average);
            }
            if seen > upper_rank {
                return (lower.unwrap_or(average) + average) / 2.0;
            }
        }
        unreachable!("the counts of a resample add up to the number of rounds")
    }
}

/// Share of the resamples to leave out at each end of an interval.
///
/// For one of 95 %, 2.5 % would be right for many rounds only: a bootstrap from few rounds is
/// too narrow, by √((n-1)/n) and by the normal in place of Student's
/// distribution. Both are known, so the tail is made smaller by as much
/// (Hesterberg's expanded percentile interval). Needs two rounds.
fn tail_probability(confidence: Confidence, rounds: usize) -> f64 {
    let n = rounds as f64;
    normal_below(-(n / (n - 1.0)).sqrt() * confidence.student(rounds - 1))
}

/// The 97.5 % point of Student's distribution.
fn student_975(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042,
    ];
    TABLE
        .get(degrees - 1)
        .copied()
        .unwrap_or(1.960 + 2.47 / degrees as f64)
}

/// Probability that a standard normal is below `x`, for `x` ≤ 0, to 1e-7
/// (Abramowitz and Stegun 26.2.17).
fn normal_below(x: f64) -> f64 {
    let t = 1.0 / (1.0 - 0.231_641_9 * x);
    let polynomial = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ratio: f64, low: f64, high: f64) -> Estimate {
        Estimate { ratio, low, high }
    }

    /// A standard normal number (sum of twelve uniforms: near enough, and bounded).
    fn normal(rng: &mut fastrand::Rng) -> f64 {
        (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
    }

    #[test]
    fn the_estimate_is_the_median_of_the_pairwise_averages() {
        // Averages of {0, 1, 5}: 0, 0.5, 1, 2.5, 3, 5; their median is 1.75.
        let estimate = estimate(&[5.0, 0.0, 1.0], 100, 1).unwrap();
        assert!((estimate.ratio.ln() - 1.75).abs() < 1e-12);
    }

    #[test]
    fn the_weighted_scan_agrees_with_the_definition_on_resamples() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let rounds = rng.usize(1..12);
            let values: Vec<f64> = (0..rounds).map(|_| rng.f64()).collect();
            let picks: Vec<usize> = (0..rounds).map(|_| rng.usize(..rounds)).collect();
            let mut counts = vec![0; rounds];
            picks.iter().for_each(|&pick| counts[pick] += 1);

            let mut averages = Vec::new();
            for i in 0..rounds {
                for j in i..rounds {
                    averages.push((values[picks[i]] + values[picks[j]]) / 2.0);
                }
            }
            averages.sort_by(f64::total_cmp);
            let middle = averages.len() / 2;
            let expected = (averages[middle] + averages[(averages.len() - 1) / 2]) / 2.0;
            let scanned = Walsh::new(&values).unwrap().median(&counts);
            assert!((scanned - expected).abs() < 1e-12, "{scanned} {expected}");
        }
    }

    #[test]
    fn one_outlier_among_the_rounds_moves_the_estimate_little() {
        let mut values = vec![0.0; 15];
        values[3] = 2.0;
        assert!(estimate(&values, 100, 1).unwrap().ratio < 1.001);
    }

    #[test]
    fn equal_rounds_give_an_interval_of_no_width() {
        let estimate = estimate(&[0.25; 9], 1000, 3).unwrap();
        assert_eq!(
            (estimate.low, estimate.high),
            (estimate.ratio, estimate.ratio)
        );
    }

    #[test]
    fn no_rounds_give_no_estimate_and_one_round_gives_no_verdict() {
        assert!(estimate(&[], 100, 1).is_none());
        let single = estimate(&[0.5], 100, 1).unwrap();
        assert_eq!((single.low, single.high), (0.0, f64::INFINITY));
        assert_eq!(
            verdict(&single, 1),
            Verdict::Inconclusive { more_rounds: 5 }
        );
    }

    #[test]
    fn what_is_typical_is_the_middle_of_the_values_and_within_them() {
        let typical = typical([10.0, 11.0, 30.0].into_iter(), 100, 1).unwrap();
        assert!((10.0..15.0).contains(&typical.value), "{typical:?}");
        assert!(typical.low >= 10.0 - 1e-9 && typical.high <= 30.0 + 1e-9);
    }

    #[test]
    fn equal_seeds_give_equal_intervals() {
        let values = [0.01, -0.02, 0.03, 0.005, -0.01, 0.02, 0.0];
        assert_eq!(estimate(&values, 500, 9), estimate(&values, 500, 9));
    }

    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_says() {
        let mut rng = fastrand::Rng::with_seed(2024);
        for rounds in [6, 10, 25] {
            let trials = 800;
            let covered = (0..trials)
                .filter(|_| {
                    // Noise as measured here: 4 % per run, now and then five times that.
                    let values: Vec<f64> = (0..rounds)
                        .map(|_| {
                            let spread = if rng.u8(..10) == 0 { 0.2 } else { 0.04 };
                            0.1 + spread * normal(&mut rng)
                        })
                        .collect();
                    let estimate = estimate(&values, 400, rng.u64(..)).unwrap();
                    estimate.low.ln() <= 0.1 && 0.1 <= estimate.high.ln()
                })
                .count();
            let share = covered as f64 / f64::from(trials);
            assert!(
                (0.925..=0.995).contains(&share),
                "{rounds} rounds: covered {share}"
            );
        }
    }

    #[test]
    fn a_verdict_needs_the_whole_interval_beyond_the_margin() {
        assert_eq!(verdict(&of(0.95, 0.93, 0.98), 10), Verdict::Better);
        assert_eq!(verdict(&of(1.05, 1.02, 1.08), 10), Verdict::Worse);
        assert_eq!(verdict(&of(1.0, 0.995, 1.005), 10), Verdict::Same);
        for estimate in [
            of(0.97, 0.95, 0.992),
            of(1.03, 1.009, 1.05),
            of(1.0, 0.97, 1.03),
        ] {
            assert!(matches!(
                verdict(&estimate, 10),
                Verdict::Inconclusive { .. }
            ));
        }
    }

    #[test]
    fn too_few_rounds_give_no_verdict_however_clear() {
        let clear = of(0.5, 0.49, 0.51);
        assert_eq!(verdict(&clear, 4), Verdict::Inconclusive { more_rounds: 2 });
        assert_eq!(verdict(&clear, MIN_ROUNDS), Verdict::Better);
    }

    #[test]
    fn the_rounds_still_needed_grow_with_the_square_of_the_width() {
        let margin = MARGIN.exp();
        let Verdict::Inconclusive { more_rounds } =
            verdict(&of(1.0, margin.powi(-2), margin.powi(2)), 10)
        else {
            panic!("an interval twice the margin is inconclusive")
        };
        assert!((29..=31).contains(&more_rounds), "{more_rounds}");
    }

    #[test]
    fn only_a_clear_difference_between_the_copies_withholds() {
        assert!(control_differs(Verdict::Better));
        assert!(control_differs(Verdict::Worse));
        assert!(!control_differs(Verdict::Same));
        assert!(!control_differs(Verdict::Inconclusive { more_rounds: 3 }));
    }

    #[test]
    fn the_points_of_students_distribution_are_those_of_the_tables() {
        for (confidence, degrees, point) in [
            (Confidence::P99, 9, 3.250),
            (Confidence::P99, 19, 2.861),
            (Confidence::P97, 39, 2.252),
            (Confidence::P95, 9, 2.262),
        ] {
            let found = confidence.student(degrees);
            assert!((found - point).abs() < 0.01, "{degrees}: {found} {point}");
        }
    }

    #[test]
    fn signs_that_all_agree_are_no_chance_and_signs_that_cancel_are() {
        // Of 2^8 ways to sign equal values, two are as extreme.
        let agree = sign_flip(&[0.5; 8], 10_000, 1);
        assert!((agree - 2.0 / 256.0).abs() < 0.003, "{agree}");
        assert!(sign_flip(&[0.5, -0.5, 0.25, -0.25], 1000, 1) > 0.99);
        assert!(sign_flip(&[1.0; 60], 100, 1) > 0.0);
        // One that something else slowed down does not hide the others.
        let mut rounds = [0.02; 40];
        rounds[7] = -0.9;
        assert!(sign_flip(&rounds, 10_000, 1) < 0.001);
        assert_eq!(
            signed_ranks(&[0.5, -2.0, 0.0, -0.5]),
            [2.5, -4.0, 0.0, -2.5]
        );
    }

    #[test]
    fn tails_shrink_for_few_rounds_and_tend_to_a_fortieth() {
        let tail = |rounds| tail_probability(Confidence::P95, rounds);
        assert!(tail(6) < 0.003);
        assert!((tail(10_000) - 0.025).abs() < 1e-4);
        assert!((tail_probability(Confidence::P99, 10_000) - 0.005).abs() < 1e-4);
        assert!((normal_below(-1.959_964) - 0.025).abs() < 1e-6);
    }
}
