//! How many blocks of which size a program had, in buckets of 8 bytes.

use crate::profile::{self, Profile};
use std::collections::BTreeMap;

/// Bytes of sizes that share a bucket: no class lies between them.
pub const BUCKET_BYTES: usize = 8;

/// A kind of count, or of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Over the whole run.
    pub flow: f64,
    /// Live when most bytes were.
    pub peak: f64,
    /// Live on average over time.
    pub mean: f64,
}

/// Blocks of one bucket, and what was asked for in them together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bucket {
    /// How many blocks.
    pub blocks: Counts,
    /// Their requested bytes.
    pub bytes: Counts,
}

/// What shares a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The largest size, a multiple of 8.
    pub size: usize,
    /// What the class must be a multiple of: 8 or more.
    pub align: usize,
}

/// A program's buckets; of several runs, on average. Without those that stand for no block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    buckets: BTreeMap<Place, Bucket>,
}

impl Counts {
    fn of(counts: profile::Counts, runs: u64) -> Self {
        let runs = runs.max(1) as f64;
        Self {
            flow: counts.allocations as f64 / runs,
            peak: counts.live_at_peak as f64 / runs,
            mean: counts.live_mean_thousandths as f64 / 1000.0 / runs,
        }
    }

    /// Adds `times` as many as others are.
    fn add(&mut self, other: Self, times: f64) {
        self.flow += other.flow * times;
        self.peak += other.peak * times;
        self.mean += other.mean * times;
    }
}

impl Histogram {
    /// The histogram of a profile, where every block is aligned to `quantum` at least.
    #[must_use]
    pub fn of(profile: &Profile, quantum: usize) -> Self {
        let mut buckets: BTreeMap<Place, Bucket> = BTreeMap::new();
        for (request, &counts) in &profile.requests {
            let counts = Counts::of(counts, profile.runs);
            if counts == Counts::default() {
                continue;
            }
            let size = request.size as usize;
            let place = Place {
                size: size.next_multiple_of(BUCKET_BYTES),
                align: (request.align as usize).max(quantum),
            };
            let bucket = buckets.entry(place).or_default();
            bucket.blocks.add(counts, 1.0);
            bucket.bytes.add(counts, size as f64);
        }
        Self { buckets }
    }

    /// The buckets for sizes up to `most_bytes`, smallest first.
    pub fn buckets(&self, most_bytes: usize) -> impl Iterator<Item = (Place, &Bucket)> + Clone {
        let buckets = self.buckets.iter().map(|(place, bucket)| (*place, bucket));
        buckets.take_while(move |(place, _)| place.size <= most_bytes)
    }

    /// The bytes of all buckets for sizes up to `most_bytes` together.
    #[must_use]
    pub fn total_bytes(&self, most_bytes: usize) -> Counts {
        let mut total = Counts::default();
        for (_, bucket) in self.buckets(most_bytes) {
            total.add(bucket.bytes, 1.0);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Request;

    /// Two blocks live at the peak of each size and alignment.
    fn profile(requests: &[(u64, u64)]) -> Profile {
        let two = profile::Counts {
            allocations: 9,
            live_at_peak: 2,
            live_mean_thousandths: 1500,
        };
        let rows = requests.iter();
        Profile::of_run(1, rows.map(|&(size, align)| (Request { size, align }, two))).unwrap()
    }

    #[test]
    fn sizes_that_no_class_separates_share_a_bucket_and_keep_their_bytes() {
        let profile = profile(&[(0, 1), (1, 1), (8, 4), (9, 1), (16, 8), (17, 1), (4096, 1)]);
        let histogram = Histogram::of(&profile, 8);
        let seen: Vec<_> = histogram
            .buckets(32)
            .map(|(place, it)| (place.size, it.blocks.peak, it.bytes.peak))
            .collect();
        assert_eq!(
            seen,
            [
                (0, 2.0, 0.0),
                (8, 4.0, 18.0),
                (16, 4.0, 50.0),
                (24, 2.0, 34.0)
            ]
        );
        assert_eq!(histogram.total_bytes(16).peak, 68.0);
        assert_eq!(histogram.total_bytes(16).mean, 51.0);
    }

    #[test]
    fn alignments_above_the_quantum_are_kept_apart() {
        let profile = profile(&[(16, 8), (16, 16), (16, 64)]);
        let aligns = |quantum| -> Vec<usize> {
            let histogram = Histogram::of(&profile, quantum);
            histogram
                .buckets(64)
                .map(|(place, _)| place.align)
                .collect()
        };
        assert_eq!(aligns(8), [8, 16, 64]);
        assert_eq!(aligns(16), [16, 64]);
    }

    #[test]
    fn runs_are_averaged() {
        let once = profile(&[(8, 8)]);
        let mut twice = once.clone();
        twice.merge(&once);
        assert_eq!(Histogram::of(&once, 8), Histogram::of(&twice, 8));
    }
}
