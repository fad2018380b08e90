//! What is counted up, and the counts at which it is measured.

use crate::race::entrants::{Entrant, TYPES};
use crate::race::racer::Errand;
use crate::race::rounds::Course;
use crate::workloads::Size;
use crate::workloads::scaled::{self, Cost, NewTurn};
use serde::Serialize;

/// What is counted up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    /// Blocks that are live at the same time, in one thread.
    LiveBlocks,
    /// Threads, which share the same number of live blocks and of operations.
    Threads,
    /// Declared types that one thread uses by turns, with the same shared out among them.
    Types,
}

/// One count of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Of what.
    pub series: Series,
    /// How many.
    pub count: u64,
}

/// Every series, in the order of the tables.
pub const SERIES: [Series; 3] = [Series::LiveBlocks, Series::Threads, Series::Types];

/// Every point, by series and count.
pub static POINTS: [Point; 18] = [
    live_blocks(1_000),
    live_blocks(10_000),
    live_blocks(100_000),
    live_blocks(1_000_000),
    live_blocks(10_000_000),
    threads(1),
    threads(2),
    threads(4),
    threads(8),
    threads(16),
    threads(32),
    threads(64),
    types(1),
    types(2),
    types(4),
    types(8),
    types(16),
    types(32),
];

const fn live_blocks(count: u64) -> Point {
    Point {
        series: Series::LiveBlocks,
        count,
    }
}

const fn threads(count: u64) -> Point {
    Point {
        series: Series::Threads,
        count,
    }
}

const fn types(count: u64) -> Point {
    Point {
        series: Series::Types,
        count,
    }
}

impl Series {
    /// How it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LiveBlocks => "live-blocks",
            Self::Threads => "threads",
            Self::Types => "types",
        }
    }

    /// What is counted, in words.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::LiveBlocks => "live blocks",
            Self::Threads => "threads",
            Self::Types => "declared types",
        }
    }

    /// The series of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        SERIES.into_iter().find(|series| series.name() == name)
    }

    /// Its points, by count.
    #[must_use]
    pub fn points(self) -> Vec<&'static Point> {
        POINTS.iter().filter(|it| it.series == self).collect()
    }

    /// Who takes part, of those who would: in a program of many types, the one that has them.
    #[must_use]
    pub fn entrants(self, entrants: &[&'static Entrant]) -> Vec<&'static Entrant> {
        match self {
            Self::LiveBlocks | Self::Threads => entrants.to_vec(),
            Self::Types => vec![&TYPES],
        }
    }
}

impl Point {
    /// The point of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        POINTS.iter().find(|point| point.name() == name)
    }

    /// Does its work in this process; a checksum, and what it took.
    ///
    /// # Panics
    /// When the program has not so many `types`, or when a block does not hold what was written
    /// to it.
    #[must_use]
    pub fn run(&self, size: Size, types: &[NewTurn]) -> (u64, Cost) {
        match self.series {
            Series::LiveBlocks => scaled::live_blocks(self.count, size),
            Series::Threads => scaled::threads(self.count, size),
            Series::Types => scaled::types(&types[..self.count as usize], size),
        }
    }
}

impl Course for Point {
    type Figures = Cost;

    fn name(&self) -> String {
        format!("{}-{}", self.series.name(), self.count)
    }
}

impl Errand for Point {
    fn arguments(&self) -> Vec<String> {
        vec!["--point".to_owned(), self.name()]
    }

    fn reads_corpus(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_grow_within_a_series_and_names_are_found() {
        for series in SERIES {
            let counts: Vec<u64> = series.points().iter().map(|point| point.count).collect();
            assert!(counts.is_sorted() && counts.len() >= 5, "{counts:?}");
            assert_eq!(Series::by_name(series.name()), Some(series));
        }
        for point in &POINTS {
            assert!(std::ptr::eq(Point::by_name(&point.name()).unwrap(), point));
        }
    }

    #[test]
    fn the_types_are_in_one_program_whoever_else_takes_part() {
        assert_eq!(Series::Types.entrants(&[]), [&TYPES]);
        assert!(Series::Threads.entrants(&[]).is_empty());
    }
}
