//! The arithmetic of the race: who is the best peer, ratios, means.

use crate::sample::{Figures, Metric};
use crate::statistics::{self, Estimate};

/// The least of the values: its index. Those that are missing do not count.
#[must_use]
pub fn least(values: &[Option<f64>]) -> Option<usize> {
    let present = values.iter().enumerate();
    let present = present.filter_map(|(index, value)| Some((index, (*value)?)));
    present
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(index, _)| index)
}

/// The median of a metric over runs. `None` without runs.
#[must_use]
pub fn median(metric: Metric, runs: &[Figures]) -> Option<f64> {
    Figures::median(runs).map(|figures| metric.of(&figures))
}

/// The ratio of two that took part in the same rounds. `None` without rounds.
#[must_use]
pub fn ratio(
    metric: Metric,
    candidate: &[Figures],
    other: &[Figures],
    resamples: usize,
    seed: u64,
) -> Option<Estimate> {
    let rounds = candidate.iter().zip(other);
    let log_ratios: Vec<f64> = rounds
        .map(|(candidate, other)| (metric.of(candidate) / metric.of(other)).ln())
        .collect();
    statistics::estimate(&log_ratios, resamples, seed)
}

/// The geometric mean of the ratios of pairs, each of two that took part in
/// the same rounds on one row. Round by round, so that it has an interval.
/// `None` without pairs, or without rounds that all of them have.
#[must_use]
pub fn mean_ratio(
    metric: Metric,
    pairs: &[(&[Figures], &[Figures])],
    resamples: usize,
    seed: u64,
) -> Option<Estimate> {
    let rounds = pairs.iter().map(|pair| pair.0.len().min(pair.1.len()));
    let log_means: Vec<f64> = (0..rounds.min()?)
        .map(|round| {
            let ratios: Vec<f64> = pairs
                .iter()
                .map(|pair| metric.of(&pair.0[round]) / metric.of(&pair.1[round]))
                .collect();
            geometric_mean(&ratios).ln()
        })
        .collect();
    statistics::estimate(&log_means, resamples, seed)
}

/// The geometric mean; of nothing, not a number.
fn geometric_mean(values: &[f64]) -> f64 {
    let logs: f64 = values.iter().map(|value| value.ln()).sum();
    (logs / values.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(cpu_us: &[u64]) -> Vec<Figures> {
        let figures = |&cpu_us: &u64| Figures {
            cpu_us,
            peak_rss_bytes: 1 << 20,
            wall_us: cpu_us,
        };
        cpu_us.iter().map(figures).collect()
    }

    #[test]
    fn the_best_is_the_least_and_those_that_failed_do_not_count() {
        assert_eq!(least(&[Some(3.0), None, Some(1.0), Some(2.0)]), Some(2));
        assert_eq!(least(&[None, None]), None);
        assert_eq!(least(&[]), None);
        assert_eq!(
            least(&[Some(1.0), Some(1.0)]),
            Some(0),
            "the first of equals"
        );
    }

    #[test]
    fn the_median_is_what_the_best_is_found_by() {
        // One slow run among three moves a mean, not the median.
        let steady = median(Metric::Cpu, &runs(&[10, 10, 10]));
        let shaken = median(Metric::Cpu, &runs(&[9, 9, 90]));
        assert_eq!(least(&[steady, shaken]), Some(1));
        assert_eq!(median(Metric::Cpu, &[]), None);
    }

    #[test]
    fn the_ratio_pairs_what_ran_in_the_same_round() {
        // The machine was twice as slow in the second round: for both.
        let estimate = ratio(Metric::Cpu, &runs(&[50, 100]), &runs(&[100, 200]), 100, 1).unwrap();
        assert!((estimate.ratio - 0.5).abs() < 1e-9, "{estimate:?}");
        assert!(ratio(Metric::Cpu, &[], &runs(&[1]), 100, 1).is_none());
    }

    #[test]
    fn the_geometric_mean_of_a_half_and_its_double_is_one() {
        assert!((geometric_mean(&[0.5, 2.0]) - 1.0).abs() < 1e-12);
        assert!((geometric_mean(&[1.0, 10.0, 100.0]) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn the_mean_over_rows_weighs_a_short_row_like_a_long_one() {
        let (short, long) = (runs(&[10, 10]), runs(&[10_000, 10_000]));
        let (half, double) = (runs(&[5, 5]), runs(&[20_000, 20_000]));
        let pairs = [(&half[..], &short[..]), (&double[..], &long[..])];
        let mean = mean_ratio(Metric::Cpu, &pairs, 100, 1).unwrap();
        assert!((mean.ratio - 1.0).abs() < 1e-9, "{mean:?}");
        assert!(mean_ratio(Metric::Cpu, &[], 100, 1).is_none());
    }
}
