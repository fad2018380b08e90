//! Which ladders are allowed, and the rungs that follow from it.

use super::demand::Demand;
use super::histogram::{BUCKET_BYTES, Histogram};
use super::ladder::Rung;
use super::pages::Pages;

/// The first class may be as large as this: two steps, so that a ladder need not have a class of 8.
const FIRST_MAX_BYTES: usize = 16;

/// Classes of more than this are multiples of [`COARSE_STEP_BYTES`].
const FINE_MAX_BYTES: usize = 1024;

/// The step of large classes: one that C's `malloc` can use, too.
const COARSE_STEP_BYTES: usize = 16;

/// No size wastes more than this part of its block, but for those that no step separates.
const WORST_WASTE: f64 = 1.0 / 3.0;

/// An alignment gets classes of its own where it has this part of all live bytes.
const LEAST_ALIGNED: f64 = 1.0 / 200.0;

/// What a ladder must keep to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The largest class.
    pub max_bytes: usize,
    /// All classes are multiples of this: 8, or 16 for who must align every block so.
    pub quantum: usize,
    /// Classes that are there in any case, ascending.
    pub kept: Vec<usize>,
}

impl Rules {
    /// The rules for these runs: the classes that are kept are those of alignments that they used.
    #[must_use]
    pub fn of(runs: &[&Histogram], max_bytes: usize, quantum: usize) -> Self {
        let mut kept = Vec::new();
        for run in runs {
            let least = run.total_bytes(max_bytes).peak * LEAST_ALIGNED;
            let aligned = run.buckets(max_bytes).filter(|(place, bucket)| {
                place.align > quantum && bucket.bytes.peak > 0.0 && bucket.bytes.peak >= least
            });
            kept.extend(aligned.map(|(place, _)| place.size.next_multiple_of(place.align)));
        }
        kept.retain(|bytes| (1..=max_bytes).contains(bytes));
        kept.sort_unstable();
        kept.dedup();
        Self {
            max_bytes,
            quantum,
            kept,
        }
    }

    /// The sizes that a class may have. A size that takes no less memory than a larger one is not
    /// among them, unless it is kept.
    #[must_use]
    pub fn rungs(&self, demand: &Demand, pages: &Pages) -> Vec<Rung> {
        let up_to = demand.up_to();
        let mut rungs: Vec<Rung> = Vec::new();
        let mut least_taken = f64::INFINITY;
        for bucket in (1..=self.max_bytes / BUCKET_BYTES).rev() {
            let bytes = bucket * BUCKET_BYTES;
            let is_kept = self.kept.contains(&bytes) || bytes == self.max_bytes;
            if !is_kept && !self.is_on_a_step(bytes) {
                continue;
            }
            let taken = pages.bytes_taken(bytes);
            if taken < least_taken || is_kept {
                // A kept one is counted no dearer than what dominates it: costs must not fall.
                least_taken = least_taken.min(taken);
                rungs.push(Rung {
                    bytes,
                    taken: least_taken,
                    weight: up_to[bucket],
                    reach: 0,
                });
            }
        }
        rungs.reverse();
        self.set_reaches(&mut rungs);
        rungs
    }

    fn is_on_a_step(&self, bytes: usize) -> bool {
        let is_fine = bytes <= FINE_MAX_BYTES || bytes.is_multiple_of(COARSE_STEP_BYTES);
        is_fine && bytes.is_multiple_of(self.quantum)
    }

    /// The lowest node that each may follow: no kept one may be left out, and no gap be too wide.
    fn set_reaches(&self, rungs: &mut [Rung]) {
        let (mut reach, mut last_kept) = (0, 0);
        for index in 0..rungs.len() {
            let bytes = rungs[index].bytes;
            // The rung right before is allowed in any case.
            while reach < index && !may_follow(rungs, reach, bytes) {
                reach += 1;
            }
            rungs[index].reach = reach.max(last_kept);
            if self.kept.contains(&bytes) {
                last_kept = index + 1;
            }
        }
    }
}

/// Whether the smallest size that a class of `bytes` serves after a node wastes little enough.
fn may_follow(rungs: &[Rung], node: usize, bytes: usize) -> bool {
    match node {
        0 => bytes <= FIRST_MAX_BYTES,
        _ => (rungs[node - 1].bytes + 1) as f64 >= (1.0 - WORST_WASTE) * bytes as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::demand::Mix;
    use crate::fit::ladder::{self, Ladder};
    use crate::profile::{Counts, Profile, Request};
    use allocator_core::derive_allocator;

    #[derive_allocator]
    struct Default;

    const MIX: Mix = Mix {
        peak: 0.6,
        mean: 0.3,
        flow: 0.1,
        prior: 0.1,
    };

    fn run(rows: &[(u64, u64)]) -> Histogram {
        let rows = rows.iter().map(|&(size, align)| {
            let counts = Counts {
                allocations: 1000,
                live_at_peak: 100,
                live_mean_thousandths: 50_000,
            };
            (Request { size, align }, counts)
        });
        Histogram::of(&Profile::of_run(1, rows).unwrap(), 8)
    }

    fn ladders(run: &Histogram, quantum: usize, most: usize) -> Vec<Option<Ladder>> {
        let rules = Rules::of(&[run], 32 << 10, quantum);
        let demand = Demand::of(&[run], &MIX, 32 << 10);
        ladder::solve(&rules.rungs(&demand, &Pages::of(&Default::CONFIG)), most)
    }

    #[test]
    fn ladders_obey_the_rules() {
        // One size only: without rules, one class would do.
        let run = run(&[(40, 8)]);
        for quantum in [8, 16] {
            let ladders = ladders(&run, quantum, 64);
            let least = ladders.iter().position(Option::is_some).unwrap();
            assert!((15..30).contains(&least), "{least}");
            for ladder in &ladders[least..] {
                let classes = &ladder.as_ref().unwrap().classes;
                assert!(classes[0] <= 16 && classes.last() == Some(&(32 << 10)));
                for pair in classes.windows(2) {
                    let waste = 1.0 - (pair[0] + 1) as f64 / pair[1] as f64;
                    let is_next = pair[1] - pair[0] == quantum;
                    assert!(waste <= WORST_WASTE || is_next, "{pair:?} {waste}");
                    assert!(pair[1].is_multiple_of(quantum));
                    assert!(pair[1] <= FINE_MAX_BYTES || pair[1].is_multiple_of(16));
                }
            }
        }
    }

    #[test]
    fn the_sizes_of_used_alignments_get_classes_whatever_they_cost() {
        let run = run(&[(40, 8), (24, 64), (100, 128), (4100, 4096)]);
        let rules = Rules::of(&[&run], 32 << 10, 8);
        assert_eq!(rules.kept, [64, 128, 8192]);
        let ladders = ladders(&run, 8, 48);
        let classes = &ladders[39].as_ref().unwrap().classes;
        assert!(
            rules.kept.iter().all(|kept| classes.contains(kept)),
            "{classes:?}"
        );
    }

    #[test]
    fn an_alignment_that_is_hardly_used_gets_none() {
        let run = run(&[(8000, 8), (24, 64)]);
        assert!(Rules::of(&[&run], 32 << 10, 8).kept.is_empty());
    }

    #[test]
    fn what_a_larger_one_dominates_is_no_rung() {
        let run = run(&[(40, 8)]);
        let demand = Demand::of(&[&run], &MIX, 32 << 10);
        let pages = Pages::of(&Default::CONFIG);
        let rungs = Rules::of(&[&run], 32 << 10, 8).rungs(&demand, &pages);
        let is_rung = |bytes| rungs.iter().any(|rung| rung.bytes == bytes);
        assert!(is_rung(8192) && is_rung(48));
        for pair in rungs.windows(2) {
            assert!(pages.bytes_taken(pair[0].bytes) < pages.bytes_taken(pair[1].bytes));
        }
        assert!(rungs.len() < 400, "{}", rungs.len());
    }
}
