//! False sharing: threads that write to small blocks of their own. An
//! allocator that puts blocks of two threads onto one line of the cache makes
//! both wait for it. *Active*: it does so with blocks that the threads
//! allocate themselves. *Passive*: it reuses for a thread a block that came
//! from another one, whose neighbours are still the other's.

use super::{Kind, Workload, mix};
use std::hint::black_box;
use std::thread;

pub(super) const ACTIVE: Workload = Workload {
    name: "sharing-active",
    about: "4 threads allocate 8 bytes each, write to them 100 times, free them, again",
    reads_corpus: false,
    kind: Kind::Shape,
    work: |_, size| {
        let times = size.repeat(TIMES);
        in_threads((0..THREADS).map(|seed| move || churn(seed, times)))
    },
};

pub(super) const PASSIVE: Workload = Workload {
    name: "sharing-passive",
    about: "the same, after each thread has freed 8 bytes that one thread allocated for all",
    reads_corpus: false,
    kind: Kind::Shape,
    work: |_, size| {
        let times = size.repeat(TIMES);
        let gifts: Vec<(u64, Box<u64>)> = (0..THREADS).map(|tag| (tag, Box::new(tag))).collect();
        in_threads(gifts.into_iter().map(|(seed, gift)| {
            move || {
                assert_eq!(*gift, seed, "a block of 8 bytes changed");
                drop(black_box(gift));
                churn(seed, times)
            }
        }))
    },
};

/// Threads at the same time.
const THREADS: u64 = 4;

/// Blocks that each thread allocates, one after the other.
const TIMES: u64 = 150_000;

/// Times that each block is written to.
const WRITES: u64 = 100;

/// Runs them at the same time; their results in order.
fn in_threads<F: FnOnce() -> u64 + Send>(lives: impl Iterator<Item = F>) -> u64 {
    thread::scope(|scope| {
        let threads: Vec<_> = lives.map(|live| scope.spawn(live)).collect();
        threads.into_iter().fold(0, |checksum, thread| {
            mix(checksum, thread.join().expect("no block changed"))
        })
    })
}

fn churn(seed: u64, times: u64) -> u64 {
    let mut checksum = seed;
    for turn in 0..times {
        let mut block = black_box(Box::new(turn));
        for _ in 0..WRITES {
            *black_box(&mut *block) += 1;
        }
        assert_eq!(*block, turn + WRITES, "a block of 8 bytes changed");
        checksum = mix(checksum, *block);
    }
    checksum
}
