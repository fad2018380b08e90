//! Forks of a program whose threads are at work with its global allocator.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// What one handler of fork allocates, another frees.
static LEFT: Mutex<Vec<Live>> = Mutex::new(Vec::new());
static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn allocate_and_free() {
    let seed = HANDLED.fetch_add(1, Ordering::Relaxed);
    let blocks = some_blocks(&mut Random::new(seed), 100_000, 40_000);
    // Not held across a fork: in the child nobody would let go of it.
    let before = match LEFT.try_lock() {
        Ok(mut left) => std::mem::replace(&mut *left, blocks),
        Err(_) => blocks,
    };
    before.into_iter().for_each(Live::free);
}

/// Four threads fork at once, so many times each, with handlers that allocate before and after, in
/// the parent and in the child.
pub fn forks_together(arguments: &[String]) {
    const THREADS: u64 = 4;
    let forks: u64 = arguments[0].parse().expect("a number");
    let handler = Some(allocate_and_free as unsafe extern "C" fn());
    // SAFETY: the handlers live as long as the process.
    let failed = unsafe { libc::pthread_atfork(handler, handler, handler) };
    assert_eq!(failed, 0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for seed in thread * forks..(thread + 1) * forks {
                    fork(|| work(seed)).succeeds();
                    let mine = some_blocks(&mut Random::new(seed), 20_000, 4096);
                    mine.into_iter().for_each(Live::free);
                }
            });
        }
    });
    let handled = HANDLED.load(Ordering::Relaxed);
    assert_eq!(
        handled,
        2 * THREADS * forks,
        "before, and after in the parent"
    );
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
