//! What a program asked for: allocations by size and alignment, as numbers only.
//!
//! No address, no name, no time of day is in it: a profile is safe to share. Profiles of several runs
//! are added up, in any order.

pub mod csv;
pub mod json;
pub mod load;

use std::collections::BTreeMap;

/// What is asked for in one allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Bytes; of a recorder that counts in steps of 8, the largest of its step.
    pub size: u64,
    /// The alignment: a power of two. 1 when nobody asked for any.
    pub align: u64,
}

/// How many blocks of one request there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Allocations over the whole run.
    pub allocations: u64,
    /// Blocks that were live when most bytes were.
    pub live_at_peak: u64,
    /// Blocks that were live on average over time, in thousandths.
    pub live_mean_thousandths: u64,
}

/// What one run, or several together, asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// How many runs were added up.
    pub runs: u64,
    /// Most threads that allocated in one of them.
    pub threads: u64,
    /// The counts of each request.
    pub requests: BTreeMap<Request, Counts>,
}

impl Request {
    /// Largest size in a profile: more than an address space has.
    pub const SIZE_MAX: u64 = 1 << 48;

    /// Largest alignment in a profile.
    pub const ALIGN_MAX: u64 = 1 << 30;
}

impl Counts {
    /// Both together; a count that overflows stays at the top.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            allocations: self.allocations.saturating_add(other.allocations),
            live_at_peak: self.live_at_peak.saturating_add(other.live_at_peak),
            live_mean_thousandths: self
                .live_mean_thousandths
                .saturating_add(other.live_mean_thousandths),
        }
    }
}

impl Profile {
    /// One run's, of a request at a time.
    ///
    /// # Errors
    /// What cannot be so of one of them: its index, and why.
    pub fn of_run(
        threads: u64,
        rows: impl IntoIterator<Item = (Request, Counts)>,
    ) -> Result<Self, (usize, String)> {
        let mut requests = BTreeMap::new();
        for (index, (request, counts)) in rows.into_iter().enumerate() {
            check(request, counts).map_err(|mistake| (index, mistake))?;
            if requests.insert(request, counts).is_some() {
                let Request { size, align } = request;
                return Err((
                    index,
                    format!("size {size} at alignment {align} is repeated"),
                ));
            }
        }
        Ok(Self {
            runs: 1,
            threads,
            requests,
        })
    }

    /// Adds another's runs to these. In whatever order runs are added, the result is the same.
    pub fn merge(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.threads = self.threads.max(other.threads);
        for (request, counts) in &other.requests {
            let sum = self.requests.entry(*request).or_default();
            *sum = sum.plus(*counts);
        }
    }

    /// Allocations of all requests.
    #[must_use]
    pub fn allocations(&self) -> u64 {
        let counts = self.requests.values();
        counts.fold(0, |sum, it| sum.saturating_add(it.allocations))
    }

    /// Bytes live at the peak; of several runs, on average.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        let bytes = self.requests.iter();
        let bytes = bytes.map(|(request, it)| request.size.saturating_mul(it.live_at_peak));
        bytes.fold(0_u64, u64::saturating_add) / self.runs.max(1)
    }
}

/// What cannot be so.
fn check(request: Request, counts: Counts) -> Result<(), String> {
    let Request { size, align } = request;
    if size > Request::SIZE_MAX {
        return Err(format!("size {size} is more than memory can be"));
    }
    if !align.is_power_of_two() || align > Request::ALIGN_MAX {
        return Err(format!(
            "alignment {align} is not a power of two up to 2^30"
        ));
    }
    if counts.live_at_peak > counts.allocations {
        return Err(format!(
            "more blocks of size {size} live than were allocated"
        ));
    }
    if counts.live_mean_thousandths > counts.allocations.saturating_mul(1000) {
        return Err(format!(
            "more blocks of size {size} live on average than were allocated"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (Request, Counts);
    type Change = fn(&mut Row);

    fn random_profile(random: &mut fastrand::Rng) -> Profile {
        let rows: BTreeMap<_, _> = (0..random.usize(..20))
            .map(|_| {
                let allocations = match random.u8(..10) {
                    0 => u64::MAX - random.u64(..9),
                    _ => random.u64(..1000),
                };
                let request = Request {
                    size: random.u64(..12) * 8,
                    align: 1 << random.u32(..5),
                };
                let counts = Counts {
                    allocations,
                    live_at_peak: random.u64(..=allocations),
                    live_mean_thousandths: random.u64(..=allocations),
                };
                (request, counts)
            })
            .collect();
        Profile::of_run(random.u64(..9), rows).unwrap()
    }

    #[test]
    fn runs_are_added_up_in_any_order() {
        let mut random = fastrand::Rng::with_seed(6);
        for _ in 0..200 {
            let [a, b, c] = [(); 3].map(|()| random_profile(&mut random));
            let sum = |profiles: [&Profile; 3]| {
                let mut sum = Profile::default();
                profiles.iter().for_each(|it| sum.merge(it));
                sum
            };
            let mut nested = b.clone();
            nested.merge(&c);
            nested.merge(&a);
            assert_eq!(sum([&a, &b, &c]), sum([&c, &b, &a]));
            assert_eq!(sum([&a, &b, &c]), nested);
            assert_eq!(nested.runs, 3);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        let good = (
            Request { size: 8, align: 8 },
            Counts {
                allocations: 2,
                ..Counts::default()
            },
        );
        let with = |change: Change| {
            let mut row = good;
            change(&mut row);
            Profile::of_run(1, [(Request { size: 1, align: 1 }, Counts::default()), row])
        };
        assert_eq!(with(|_| ()).unwrap().allocations(), 2);
        let wrong: [(Change, &str); 5] = [
            (|row| row.0.align = 3, "alignment 3"),
            (|row| row.0.size = u64::MAX, "more than memory"),
            (|row| row.1.live_at_peak = 3, "live than were allocated"),
            (|row| row.1.live_mean_thousandths = 2001, "live on average"),
            (|row| row.0 = Request { size: 1, align: 1 }, "repeated"),
        ];
        for (change, part) in wrong {
            let (index, mistake) = with(change).unwrap_err();
            assert!(index == 1 && mistake.contains(part), "{mistake}");
        }
    }

    #[test]
    fn the_peak_of_several_runs_is_their_mean() {
        let run = |live_at_peak| {
            let counts = Counts {
                allocations: 9,
                live_at_peak,
                live_mean_thousandths: 0,
            };
            Profile::of_run(
                1,
                [(
                    Request {
                        size: 100,
                        align: 1,
                    },
                    counts,
                )],
            )
            .unwrap()
        };
        let mut both = run(2);
        both.merge(&run(4));
        assert_eq!(both.peak_bytes(), 300);
    }
}
