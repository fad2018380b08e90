//! Bytes as operations: what the fuzzers of `tests/fuzz` run, and the test that replays their corpus.
//!
//! Any bytes are a sequence, and few bytes change little of it, so that a fuzzer finds its way. The
//! first byte says which type is used.

use std::thread;

use allocator_core::os::fault;

use crate::configurations::{
    CacheOfFour, Default, EverythingKept, FlagsOff, Limited, NothingKept, OddClasses, OneAtATime,
    OneOddClass, Seed, Stock,
};
use crate::injected::CALLS_WITHOUT_LOSS;
use crate::model::{By, Model, Pick, Step, nothing_stays};
use crate::subject::Subject;

/// Steps of a sequence, at most.
const STEPS_MAX: usize = 64;

/// Bytes that are read from the front; zeros when they have come to their end.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn byte(&mut self) -> usize {
        let (&first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        first.into()
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end <= 256 {
            self.byte() % end
        } else {
            (self.byte() | self.byte() << 8 | self.byte() << 16) % end
        }
    }

    pub(crate) fn step(&mut self) -> Step {
        match self.byte() % 16 {
            0..3 => Step::Allocate {
                size: self.below(1025),
                align: 1 << self.below(6),
                count: 1 + self.below(1500),
                zeroed: self.below(4) == 0,
                by: self.by(),
            },
            3..6 => Step::Allocate {
                size: self.any_size(),
                align: self.any_align(),
                count: 1 + self.below(6),
                zeroed: self.below(4) == 0,
                by: self.by(),
            },
            6..10 => Step::Free {
                pick: self.pick(),
                sixteenths: self.below(17),
                by: self.by(),
            },
            10..13 => Step::Reallocate {
                pick: self.pick(),
                new_size: self.any_size(),
            },
            13 => Step::PingPong {
                size: self.below(1025),
                times: 1 + self.below(40),
            },
            14 => Step::Purge { by: self.by() },
            // Waiting is slow.
            _ if self.below(16) == 0 => Step::Wait,
            _ => Step::Check,
        }
    }

    /// Up to 10 MiB: around the limits between classes, pages, large and huge blocks.
    pub(crate) fn any_size(&mut self) -> usize {
        match self.byte() % 8 {
            0..3 => self.below(40_000),
            3..5 => ((1 << self.below(24)) + self.below(17)).saturating_sub(8),
            5 => self.below(600_000),
            6 => self.below(3 << 20),
            _ => (8 << 20) - 5000 + self.below(10_000),
        }
    }

    fn any_align(&mut self) -> usize {
        match self.byte() % 8 {
            0..5 => 1 << self.below(5),
            5..7 => 1 << self.below(17),
            _ => 1 << self.below(25),
        }
    }

    pub(crate) fn by(&mut self) -> By {
        match self.byte() % 8 {
            0..5 => By::Us,
            5 | 6 => By::Another,
            _ => By::OneThatEnds,
        }
    }

    pub(crate) fn pick(&mut self) -> Pick {
        match self.byte() % 4 {
            0 => Pick::Oldest,
            1 => Pick::Youngest,
            2 => Pick::Any(self.byte() as u64),
            _ => Pick::Every(1 + self.below(20)),
        }
    }

    /// Has the OS refuse some calls, not far from now. The fuzzer's
    /// process lives long, so only such as lose nothing.
    fn fault(&mut self) {
        let calls = CALLS_WITHOUT_LOSS;
        let call = calls[self.below(calls.len())];
        let from = self.below(32) as u64;
        let count = match self.byte() % 4 {
            0 => u64::MAX,
            _ => 1 + self.below(8) as u64,
        };
        fault::fail(call, from, count);
    }
}

/// A stream of operations, on the type that the first byte says, against the shadow model.
///
/// # Panics
/// When the allocator and the model differ, or something is lost.
pub fn operations(bytes: &[u8]) {
    with_type(bytes, Faults::None);
}

/// The same, while calls of the OS fail now and then.
///
/// # Panics
/// As [`operations`], but for memory that is refused.
pub fn faults(bytes: &[u8]) {
    with_type(bytes, Faults::Some);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Faults {
    None,
    Some,
}

fn with_type(bytes: &[u8], faults: Faults) {
    let mut bytes = Bytes(bytes);
    let run = match bytes.byte() % 11 {
        0 => run::<Default>,
        1 => run::<Stock>,
        2 => run::<Seed>,
        3 => run::<NothingKept>,
        4 => run::<EverythingKept>,
        5 => run::<OneOddClass>,
        6 => run::<OddClasses>,
        7 => run::<CacheOfFour>,
        8 => run::<FlagsOff>,
        9 => run::<OneAtATime>,
        _ => run::<Limited>,
    };
    let rest = bytes.0.to_vec();
    // A thread of its own, so that each sequence starts with a heap of its own and ends it.
    let outcome = thread::spawn(move || run(&rest, faults)).join();
    fault::reset();
    assert!(outcome.is_ok(), "the sequence failed: see above");
}

fn run<A: Subject>(bytes: &[u8], faults: Faults) {
    let mut bytes = Bytes(bytes);
    let before = A::stats();
    let mut model = match faults {
        Faults::None => Model::<A>::default(),
        Faults::Some => Model::under_faults(),
    };
    for _ in 0..STEPS_MAX {
        if bytes.0.is_empty() {
            break;
        }
        if faults == Faults::Some && bytes.byte() % 4 == 0 {
            bytes.fault();
        }
        model.step(&bytes.step());
    }
    fault::reset();
    model.end();
    nothing_stays::<A>(&before);
}
