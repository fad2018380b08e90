//! The work that allocators are compared on, each piece checking its content.
//!
//! A workload is a function from the input to a checksum. It panics when a
//! block does not hold what was written to it; its checksum depends on all the
//! work done, so it must be equal for all allocators, and nothing of the work
//! can be optimised away.

mod ageing;
mod block;
mod burst;
mod byte_sizes;
mod empty;
mod fragments;
mod growth;
mod json_document;
mod maps;
mod ping_pong;
mod population;
mod producer;
mod programs;
mod random;
mod rust_source;
pub mod scaled;
mod server;
mod sharing;
mod six_classes;
mod strings;
mod threads;
mod tree;
mod zeroed;

use crate::corpus::{Corpus, Limits};

pub use ageing::Ageing;
pub use block::Source;

/// One kind of work.
pub struct Workload {
    /// How it is called on the command line and in the table.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether it works on the corpus; if not, it is given an empty one.
    pub reads_corpus: bool,
    /// What it is like.
    pub kind: Kind,
    work: fn(&Corpus, Size) -> u64,
}

/// What a workload is like, which decides how the race runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A pattern of allocations that tells designs apart.
    Shape,
    /// What a real program does: the race runs it in an aged heap, too.
    Program,
    /// No work: only its memory counts.
    Empty,
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

/// Every workload of the comparison.
pub static WORKLOADS: [Workload; 4] = [
    rust_source::WORKLOAD,
    json_document::WORKLOAD,
    burst::WORKLOAD,
    ping_pong::WORKLOAD,
];

/// Every workload of the race. A constant: whoever only wants to know their
/// names does not have the programs linked in.
pub const RACE: [Workload; 25] = [
    byte_sizes::WORKLOAD,
    zeroed::WORKLOAD,
    ping_pong::WORKLOAD,
    burst::WORKLOAD,
    six_classes::WORKLOAD,
    random::THOUSAND,
    random::HUNDRED_THOUSAND,
    random::MILLION,
    tree::WORKLOAD,
    producer::WORKLOAD,
    server::WORKLOAD,
    fragments::WORKLOAD,
    growth::WORKLOAD,
    threads::WORKLOAD,
    sharing::ACTIVE,
    sharing::PASSIVE,
    json_document::WORKLOAD,
    rust_source::WORKLOAD,
    programs::REGEXES,
    maps::WORKLOAD,
    programs::MARKDOWN,
    strings::WORKLOAD,
    programs::CACHE,
    programs::TOKIO,
    empty::WORKLOAD,
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

    /// How much text they are given in the race, whose rows are longer: there
    /// are no eight entrants that differ by a per cent, but as many that differ by ten.
    #[must_use]
    pub const fn race_corpus(self) -> Limits {
        match self {
            Self::Full => Limits {
                total_bytes: 1_500_000,
                package_bytes: 48_000,
            },
            Self::Quick => self.corpus(),
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

/// The workload of the comparison of that name.
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

    /// Those of the comparison are among them.
    fn all() -> impl Iterator<Item = Workload> {
        RACE.into_iter()
    }

    #[test]
    fn every_workload_gives_the_same_checksum_every_time() {
        let (corpus, _) = Corpus::collect(Size::Quick.corpus()).unwrap();
        for workload in all() {
            let [first, second] = [0, 1].map(|_| workload.run(&corpus, Size::Quick));
            assert_eq!(first, second, "{}", workload.name);
        }
    }

    #[test]
    fn the_checksum_depends_on_the_corpus_exactly_where_it_is_read() {
        let (corpus, _) = Corpus::collect(Size::Quick.corpus()).unwrap();
        for workload in all().filter(|workload| workload.reads_corpus) {
            let with = workload.run(&corpus, Size::Quick);
            let without = workload.run(&Corpus::default(), Size::Quick);
            assert_ne!(with, without, "{}", workload.name);
        }
    }

    #[test]
    fn the_race_is_on_what_the_comparison_is_on_and_more() {
        for workload in &WORKLOADS {
            let raced = all().find(|raced| raced.name == workload.name).unwrap();
            let (about, reads_corpus) = (raced.about, raced.reads_corpus);
            assert_eq!(
                (about, reads_corpus),
                (workload.about, workload.reads_corpus)
            );
        }
    }

    #[test]
    fn an_aged_heap_holds_a_part_of_what_it_held_and_all_of_it_unchanged() {
        Ageing::of(Size::Quick).check();
    }

    #[test]
    fn names_are_found_and_none_is_used_twice() {
        for workload in &WORKLOADS {
            assert!(std::ptr::eq(by_name(workload.name).unwrap(), workload));
        }
        assert!(by_name("rust").is_none());
    }
}
