//! A program in which some of the first mappings are refused: in its first thread, or in others.

use std::thread;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::checked_load;
use allocator_tests::random::Random;
use allocator_tests::subjects;

/// As it comes.
#[derive_allocator]
struct Inline;

/// The cache itself needs memory.
#[derive_allocator(tls = pointer)]
struct Pointer;

subjects!(Inline, Pointer);

fn load(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let refused = |seen: checked_load::Seen| seen.refused;
    (0..4)
        .map(|_| {
            refused(checked_load::run::<Inline>(&mut random, 60))
                + refused(checked_load::run::<Pointer>(&mut random, 60))
        })
        .sum()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let who = arguments.next().expect("who allocates");
    let mut number = || -> u64 {
        arguments
            .next()
            .expect("a number")
            .parse()
            .expect("a number")
    };
    let (first, count) = (number(), number());
    fault::fail(Call::Map, first, count);
    let refused = if who == "first_thread" {
        load(first)
    } else {
        let threads: Vec<_> = (0..3)
            .map(|i| thread::spawn(move || load(first + i)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the thread found no fault"))
            .sum()
    };
    assert!(
        count == 1 || refused > 0,
        "nothing can be served without a mapping"
    );
    fault::reset();
    assert_eq!(load(7), 0, "everything is served afterwards");
    let after = thread::spawn(|| load(8))
        .join()
        .expect("the thread found no fault");
    assert_eq!(after, 0, "and by a new thread");
}
