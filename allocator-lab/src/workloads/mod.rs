//! The work that allocators are compared on, each piece checking its content.
//!
//! A workload is a function from the input to a checksum. It panics when a
//! block does not hold what was written to it; its checksum depends on all the
//! work done, so it must be equal for all allocators, and nothing of the work
//! can be optimised away.

mod burst;
mod json_document;
mod ping_pong;
mod rust_source;

use crate::corpus::{Corpus, Limits};

/// One kind of work.
pub struct Workload {
    /// How it is called on the command line and in the table.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether it works on the corpus; if not, it is given an empty one.
    pub reads_corpus: bool,
    work: fn(&Corpus, Size) -> u64,
}

/// How much of the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Enough to measure: some hundredths of a second. Many short runs tell
    /// more than few long ones, as processes differ more than their parts do.
    Full,
    /// Enough to see that it works.
    Quick,
}

/// Every workload.
pub static WORKLOADS: [Workload; 4] = [
    rust_source::WORKLOAD,
    json_document::WORKLOAD,
    burst::WORKLOAD,
    ping_pong::WORKLOAD,
];

impl Workload {
    /// Does the work and returns its checksum.
    ///
    /// # Panics
    /// When a block does not hold what was written to it.
    #[must_use]
    pub fn run(&self, corpus: &Corpus, size: Size) -> u64 {
        (self.work)(corpus, size)
    }
}

impl Size {
    /// How much text the workloads on real sources are given.
    #[must_use]
    pub const fn corpus(self) -> Limits {
        match self {
            Self::Full => Limits {
                total_bytes: 750_000,
                package_bytes: 48_000,
            },
            Self::Quick => Limits {
                total_bytes: 40_000,
                package_bytes: 20_000,
            },
        }
    }

    /// That many repetitions, or a hundredth of them.
    const fn repeat(self, times: u64) -> u64 {
        match self {
            Self::Full => times,
            Self::Quick => times.div_ceil(100),
        }
    }
}

/// The workload of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

/// Adds a value to a running checksum; the order of values matters.
const fn mix(checksum: u64, value: u64) -> u64 {
    (checksum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_gives_the_same_checksum_every_time() {
        let (corpus, _) = Corpus::collect(Size::Quick.corpus()).unwrap();
        for workload in &WORKLOADS {
            let first = workload.run(&corpus, Size::Quick);
            assert_eq!(
                workload.run(&corpus, Size::Quick),
                first,
                "{}",
                workload.name
            );
        }
    }

    #[test]
    fn the_checksum_depends_on_the_corpus_exactly_where_it_is_read() {
        let (corpus, _) = Corpus::collect(Size::Quick.corpus()).unwrap();
        for workload in &WORKLOADS {
            let with = workload.run(&corpus, Size::Quick);
            let without = workload.run(&Corpus::default(), Size::Quick);
            assert_eq!(with != without, workload.reads_corpus, "{}", workload.name);
        }
    }

    #[test]
    fn names_are_found_and_none_is_used_twice() {
        for workload in &WORKLOADS {
            assert!(std::ptr::eq(by_name(workload.name).unwrap(), workload));
        }
        assert!(by_name("rust").is_none());
    }
}
