//! Forks of a program whose threads are at work with its global allocator.

use std::collections::HashMap;
use std::thread;

use super::live::{Live, some_blocks};
use crate::forked::{fork, on_another_thread};
use crate::random::Random;

/// Forks so many times; each child makes and drops structures, and frees what its parent left it.
pub fn forks(arguments: &[String]) {
    let forks: u64 = arguments[0].parse().expect("a number");
    for seed in 0..3 {
        thread::spawn(move || {
            let mut random = Random::new(seed);
            loop {
                // Threads that end, blocks that others free, whole slices.
                let blocks = some_blocks(&mut random, 200_000, 100_000);
                thread::spawn(move || blocks.into_iter().for_each(Live::free))
                    .join()
                    .expect("the thread ends");
            }
        });
    }
    for seed in 0..forks {
        let mine = some_blocks(&mut Random::new(seed), 200_000, 100_000);
        fork(|| {
            mine.into_iter().for_each(Live::free);
            work(seed);
        })
        .succeeds();
    }
}

fn work(seed: u64) {
    let make = move || {
        let words: HashMap<String, Vec<u64>> = (0..300)
            .map(|i| (format!("{seed} {i}"), vec![i; 1 + i as usize % 50]))
            .collect();
        let sum: u64 = words.values().map(|counts| counts[0]).sum();
        assert_eq!(sum, 299 * 300 / 2);
    };
    make();
    on_another_thread(make);
}
