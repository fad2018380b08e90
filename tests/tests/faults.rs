//! Every call of the OS may fail: what cannot be had is null, and everything else goes on.

use std::thread;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::checked_load::{self, Seen};
use allocator_tests::crew::Worker;
use allocator_tests::injected::{CALLS, GUARD_CALLS, failures, one_failure};
use allocator_tests::process::alone;
use allocator_tests::program::Program;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::scenario::limits::LIMITS;
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

/// As it comes.
#[derive_allocator(stats = counters)]
struct Default;

/// Calls the OS wherever it can.
#[derive_allocator(
    preset = stock,
    purge = now,
    retire_cycles = 0,
    thp = always,
    tls = pointer,
    stats = counters,
)]
struct Eager;

/// Puts guards and clears wherever it can.
#[derive_allocator(hardening(guards, isolate, zero), purge = now, retire_cycles = 0, stats = counters)]
struct Walled;

subjects!(Default, Eager, Walled);

/// What threads do under a fault: they start, allocate, reallocate, free each other's blocks while
/// their owner is idle and when it has ended, end.
fn load<A: Subject>(random: &mut Random) -> Seen {
    // A mapping that is made, grown, and given back: whatever the random part does.
    let mut mapping = Block::<A>::new(17 << 20, 8, true, 1);
    let grown = mapping
        .as_mut()
        .is_some_and(|mapping| mapping.reallocate(18 << 20));
    free_all(mapping);
    let seen = checked_load::run::<A>(random, 30);
    let worker = Worker::start();
    let seeds: [u64; 2] = std::array::from_fn(|_| random.next());
    let [theirs, left] = seeds.map(|seed| {
        worker.run(move || {
            let mut random = Random::new(seed);
            (0..40)
                .filter_map(|i| Block::<A>::new(10 + random.below(20_000), 8, false, i))
                .collect::<Vec<_>>()
        })
    });
    free_all(theirs);
    A::purge();
    let seed = random.next();
    let seen_there = worker.run(move || checked_load::run::<A>(&mut Random::new(seed), 20));
    drop(worker);
    free_all(left);
    Seen {
        served: seen.served + seen_there.served,
        refused: seen.refused + seen_there.refused + usize::from(!grown),
    }
}

fn free_all<A: Subject>(blocks: impl IntoIterator<Item = Block<A>>) {
    blocks.into_iter().for_each(Block::free);
}

/// Asserts that the type works, has lost no block, and gives everything back.
fn is_as_before<A: Subject>() {
    assert_eq!(load::<A>(&mut Random::new(9)).refused, 0);
    A::purge();
    A::check();
    let stats = A::stats();
    assert_eq!(stats.allocations, stats.frees);
    assert_eq!(stats.held_bytes, 0, "{stats:?}");
}

/// With assertions a try takes five times as long: every fifth is made. The optimised run makes all of them.
const STEP: usize = if cfg!(debug_assertions) { 5 } else { 1 };

#[test]
fn each_of_the_first_two_hundred_maps_may_fail() {
    let _alone = alone();
    let mut random = Random::new(seed_of("maps that fail"));
    let kept: Vec<Block<Default>> = (0..500)
        .map(|i| Block::new(1 + random.below(20_000), 8, false, i).expect("there is memory"))
        .collect();
    let mut refused = 0;
    for k in 0..200 {
        // One failure may be made up for; as many as there are sizes of chunk, twice over, may not.
        let failures = if k % 2 == 0 { 12 } else { 1 };
        let before = fault::calls(Call::Map);
        fault::fail(Call::Map, k, failures);
        // Mappings, not touched, until the k-th and those that fail with it.
        let mut mappings = Vec::new();
        while fault::calls(Call::Map) < before + k + failures {
            let layout = layout((9 + random.below(20)) << 20, 1 << random.below(13));
            match Default.allocate(layout) {
                Some(start) => mappings.push((start, layout)),
                None => refused += 1,
            }
            // Pages too, which may need a chunk.
            let block = Block::<Default>::new(random.below(100_000), 8, false, k);
            free_all(block);
        }
        fault::reset();
        for (start, layout) in mappings {
            // SAFETY: allocated above with this layout.
            unsafe { Default.deallocate(start, layout) };
        }
        // Usable, at once.
        Block::<Default>::new(20 << 20, 8, true, k)
            .expect("there is memory again")
            .free();
    }
    assert!(refused >= 100, "{refused} allocations were refused");
    kept.into_iter().for_each(Block::free);
    is_as_before::<Default>();
}

#[test]
fn the_first_maps_of_a_process_may_fail() {
    for k in (0..40).step_by(STEP) {
        let k = k.to_string();
        for who in ["first_thread", "other_threads"] {
            Program::new(env!("CARGO_BIN_EXE_maps_fail"), &[who, &k, "1"]).succeeds();
        }
    }
    // None is to be had at first.
    for who in ["first_thread", "other_threads"] {
        Program::new(env!("CARGO_BIN_EXE_maps_fail"), &[who, "0", "1000000"]).succeeds();
    }
}

#[test]
fn without_new_mappings_every_kind_of_request_is_null_and_blocks_stay_as_they_are() {
    let _alone = alone();
    let mut blocks: Vec<Block<Default>> = [100, 5000, 40_000, 3 << 20, 17 << 20]
        .map(|size| Block::new(size, 8, false, size as u64).expect("there is memory"))
        .into();
    let injected = [failures(Call::Map), failures(Call::Remap)];
    // What the arena has left serves first.
    let mut fillers = Vec::new();
    for size in [4 << 20, 60_000, 5000, 100] {
        while let Some(filler) = Block::<Default>::new(size, 8, false, 1) {
            fillers.push(filler);
        }
    }
    for zeroed in [false, true] {
        for (size, align) in [
            (100, 8),
            (5000, 8),
            (100_000, 8),
            (17 << 20, 8),
            (8, 1 << 30),
        ] {
            let block = Block::<Default>::new(size, align, zeroed, 1);
            assert!(block.is_none(), "{size} bytes at {align}");
        }
    }
    for block in &mut blocks {
        // Verifies the content, refused or not.
        assert!(!block.reallocate(64 << 20), "there is nothing to grow into");
    }
    drop(injected);
    for block in &mut blocks {
        assert!(block.reallocate(64 << 20), "there is again");
    }
    blocks.into_iter().chain(fillers).for_each(Block::free);
    is_as_before::<Default>();
}

#[test]
fn threads_that_start_and_end_without_memory_work_when_there_is_some() {
    let _alone = alone();
    let injected = failures(Call::Map);
    // Until nothing is left for a heap's record or a page, in this thread or a new one.
    let mut fillers = Vec::new();
    for size in [4 << 20, 60_000, 5000, 100] {
        while let Some(filler) = Block::<Eager>::new(size, 8, false, 1) {
            fillers.push(filler);
        }
    }
    let workers: Vec<Worker> = (0..8).map(|_| Worker::start()).collect();
    for worker in &workers {
        for _ in 0..3 {
            worker.run(|| checked_load::run::<Eager>(&mut Random::new(3), 30));
        }
    }
    // Ends of threads whose start was never complete.
    drop(workers);
    let worker = Worker::start();
    worker.run(|| checked_load::run::<Eager>(&mut Random::new(4), 30));
    drop(injected);
    let seen = worker.run(|| checked_load::run::<Eager>(&mut Random::new(5), 100));
    assert_eq!(seen.refused, 0);
    drop(worker);
    fillers.into_iter().for_each(Block::free);
    is_as_before::<Eager>();
}

fn calls() -> impl Iterator<Item = Call> {
    CALLS.into_iter().chain(GUARD_CALLS)
}

#[test]
fn any_other_call_may_fail_at_its_nth_time() {
    let _alone = alone();
    let mut random = Random::new(seed_of("calls that fail once"));
    for call in calls().filter(|&call| call != Call::Map) {
        for n in (0..=50).step_by(STEP) {
            let injected = one_failure(call, n);
            assert_eq!(load::<Default>(&mut random).refused, 0, "{call:?} {n}");
            assert_eq!(load::<Eager>(&mut random).refused, 0, "{call:?} {n}");
            assert_eq!(load::<Walled>(&mut random).refused, 0, "{call:?} {n}");
            drop(injected);
        }
        is_as_before::<Default>();
        is_as_before::<Eager>();
        is_as_before::<Walled>();
    }
}

#[test]
fn any_other_call_may_fail_always() {
    let _alone = alone();
    let mut random = Random::new(seed_of("calls that fail always"));
    for call in calls().filter(|&call| call != Call::Map) {
        let injected = failures(call);
        // Protecting is what is done instead of marking.
        let also = (call == Call::Protect).then(|| failures(Call::Guard));
        let before = fault::calls(call);
        for _ in 0..5 / STEP {
            assert_eq!(load::<Default>(&mut random).refused, 0, "{call:?}");
            assert_eq!(load::<Eager>(&mut random).refused, 0, "{call:?}");
            assert_eq!(load::<Walled>(&mut random).refused, 0, "{call:?}");
        }
        assert!(fault::calls(call) > before, "{call:?} was made, and failed");
        drop((injected, also));
        is_as_before::<Default>();
        is_as_before::<Eager>();
        is_as_before::<Walled>();
    }
}

#[test]
fn threads_go_on_while_every_call_fails_now_and_then() {
    let _alone = alone();
    let mut random = Random::new(seed_of("threads and faults"));
    let mut workers: Vec<Worker> = (0..4).map(|_| Worker::start()).collect();
    for round in 0..10 * CALLS.len() / STEP {
        let call = CALLS[round % CALLS.len()];
        let injected = one_failure(call, random.below(20) as u64);
        let seeds: [u64; 4] = std::array::from_fn(|_| random.next());
        thread::scope(|scope| {
            for (worker, seed) in workers.iter_mut().zip(seeds) {
                scope.spawn(move || {
                    worker.run(move || {
                        let mut random = Random::new(seed);
                        load::<Default>(&mut random);
                        load::<Eager>(&mut random);
                    });
                });
            }
        });
        drop(injected);
    }
    drop(workers);
    is_as_before::<Default>();
    is_as_before::<Eager>();
}

#[test]
fn blocks_freed_by_others_come_home_without_barriers() {
    let _alone = alone();
    let owner = Worker::start();
    let injected = failures(Call::Barrier);
    let pages_before = Default::stats().pages_made;
    for _ in 0..20 {
        let blocks = owner.run(|| {
            (0..3000)
                .map(|i| Block::<Default>::new(500, 8, false, i).expect("there is memory"))
                .collect::<Vec<_>>()
        });
        blocks.into_iter().for_each(Block::free);
    }
    let made = Default::stats().pages_made - pages_before;
    assert!(
        Default::stats().held_bytes < 6 << 20,
        "the owner reads its mail: {:?}",
        Default::stats()
    );
    assert!(made < 20 * 25, "{made} pages made");
    drop(injected);
    drop(owner);
    is_as_before::<Default>();
}

const PROGRAMS: [&str; 5] = [
    env!("CARGO_BIN_EXE_global_as_it_comes"),
    env!("CARGO_BIN_EXE_global_stock"),
    env!("CARGO_BIN_EXE_global_pointer"),
    env!("CARGO_BIN_EXE_global_checked"),
    env!("CARGO_BIN_EXE_global_guarded"),
];

#[test]
fn a_process_starts_and_serves_under_a_limit_and_goes_on_after_null() {
    for program in PROGRAMS {
        for (resource, mib, least) in LIMITS {
            Program::new(program, &["serves_under_a_limit", least])
                .under(&[(resource, mib << 20)])
                .succeeds();
        }
    }
}

#[test]
fn threads_that_run_into_a_limit_together_go_on() {
    for program in PROGRAMS {
        for (resource, mib) in [(libc::RLIMIT_AS, 64), (libc::RLIMIT_DATA, 64)] {
            Program::new(program, &["threads_under_a_limit"])
                .under(&[(resource, mib << 20)])
                .succeeds();
        }
    }
}
