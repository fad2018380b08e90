//! Fork in a process with threads: the child allocates and frees, whatever the other threads were
//! doing at that moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::checked_load;
use allocator_tests::crew::Worker;
use allocator_tests::forked::{fork, on_another_thread};
use allocator_tests::injected::parking;
use allocator_tests::process::alone;
use allocator_tests::program::Program;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::Subject;
use allocator_tests::subjects;

/// As it comes.
#[derive_allocator]
struct Default;

/// Calls the OS wherever it can.
#[derive_allocator(preset = stock, purge = now, retire_cycles = 0, thp = always, tls = pointer)]
struct Eager;

subjects!(Default, Eager);

/// What the child does: all that its parent could.
fn work_in_child(seed: u64) {
    // The parent's faults are not the child's.
    fault::reset();
    let work = move || {
        let mut random = Random::new(seed);
        for _ in 0..2 {
            assert_eq!(checked_load::run::<Default>(&mut random, 60).refused, 0);
            assert_eq!(checked_load::run::<Eager>(&mut random, 60).refused, 0);
            Default::purge();
            Eager::purge();
        }
    };
    work();
    on_another_thread(work);
}

/// Has `peer` park in `call`, and forks.
fn fork_while_parked<A: Subject>(call: Call, peer: impl FnOnce() + Send + 'static) {
    let _alone = alone();
    // Blocks of this thread and of another, which the child frees.
    let other = Worker::start();
    let mut blocks: Vec<Block<A>> = other.run(|| some_blocks::<A>(300));
    blocks.extend(some_blocks::<A>(300));
    let parked = parking(call);
    let peer = thread::spawn(peer);
    while !fault::is_parked(call) {
        assert!(!peer.is_finished(), "the peer never made the call {call:?}");
        thread::sleep(Duration::from_micros(100));
    }
    fork(|| {
        blocks.into_iter().for_each(Block::free);
        work_in_child(call as u64);
    })
    .succeeds();
    assert!(fault::is_parked(call), "the peer was parked all the time");
    drop(parked);
    peer.join().expect("the peer goes on");
    other.run(|| checked_load::run::<A>(&mut Random::new(1), 100));
}

fn some_blocks<A: Subject>(count: u64) -> Vec<Block<A>> {
    (0..count)
        .map(|i| Block::new(10 + 17 * i as usize, 8, false, i).expect("there is memory"))
        .collect()
}

fn huge<A: Subject>() -> Block<A> {
    Block::new(20 << 20, 8, false, 3).expect("there is memory")
}

#[test]
fn a_child_works_while_a_peer_maps_a_huge_block() {
    fork_while_parked::<Default>(Call::Map, || huge::<Default>().free());
}

#[test]
fn a_child_works_while_a_peer_maps_a_chunk_inside_its_gate() {
    fork_while_parked::<Default>(Call::Map, || {
        // Pages until the arena needs a chunk.
        let before = fault::calls(Call::Map);
        let mut blocks = Vec::new();
        while fault::calls(Call::Map) == before {
            blocks.push(Block::<Default>::new(8000, 8, false, 4).expect("there is memory"));
        }
        blocks.into_iter().for_each(Block::free);
    });
}

#[test]
fn a_child_works_while_a_peer_unmaps() {
    fork_while_parked::<Default>(Call::Unmap, || huge::<Default>().free());
}

#[test]
fn a_child_works_while_a_peer_remaps() {
    fork_while_parked::<Default>(Call::Remap, || {
        let mut block = huge::<Default>();
        assert!(block.reallocate(30 << 20));
        block.free();
    });
}

#[test]
fn a_child_works_while_a_peer_purges_in_its_upkeep() {
    fork_while_parked::<Default>(Call::Purge, || {
        some_blocks::<Default>(2000)
            .into_iter()
            .for_each(Block::free);
        Default::purge();
    });
}

#[test]
fn a_child_works_while_a_peer_purges_inside_its_gate() {
    fork_while_parked::<Eager>(Call::Purge, || {
        some_blocks::<Eager>(2000).into_iter().for_each(Block::free);
    });
}

#[test]
fn a_child_works_while_a_peer_advises() {
    fork_while_parked::<Eager>(Call::Advise, || huge::<Eager>().free());
}

#[test]
fn a_child_works_while_a_peer_has_the_barrier_put_up() {
    fork_while_parked::<Default>(Call::Barrier, || {
        // Mail for an idle thread, whose gate is knocked at.
        let idle = Worker::start();
        let blocks = idle.run(|| some_blocks::<Default>(2000));
        blocks.into_iter().for_each(Block::free);
        Default::purge();
    });
}

#[test]
fn a_child_works_while_a_peer_announces_its_end() {
    fork_while_parked::<Default>(Call::ThreadEnd, || {
        Block::<Default>::new(48, 8, false, 1)
            .expect("there is memory")
            .free();
    });
}

/// Threads that allocate, free each other's blocks, and end, until told to stop.
fn churn<A: Subject>(stop: &AtomicBool, mut random: Random) {
    let mut kept: Vec<Block<A>> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let seed = random.next();
        kept = thread::spawn(move || {
            let mut random = Random::new(seed);
            checked_load::run::<A>(&mut random, 50);
            kept.into_iter().for_each(Block::free);
            (0..200)
                .map(|i| Block::new(1 + random.below(2000), 8, false, i).expect("there is memory"))
                .collect()
        })
        .join()
        .expect("the thread found no fault");
    }
    kept.into_iter().for_each(Block::free);
}

#[test]
fn children_of_four_threads_that_fork_at_once_work_while_others_churn() {
    const FORKS: usize = 25;
    let _alone = alone();
    let mut random = Random::new(seed_of("forks at once"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn({
            let (stop, random) = (&stop, Random::new(random.next()));
            move || churn::<Default>(stop, random)
        });
        scope.spawn({
            let (stop, random) = (&stop, Random::new(random.next()));
            move || churn::<Eager>(stop, random)
        });
        let forkers: Vec<_> = (0..4)
            .map(|_| {
                let mut random = Random::new(random.next());
                scope.spawn(move || {
                    for _ in 0..FORKS {
                        let mine = some_blocks::<Default>(100);
                        let seed = random.next();
                        fork(|| {
                            mine.iter().for_each(Block::verify);
                            work_in_child(seed);
                        })
                        .succeeds();
                        mine.into_iter().for_each(Block::free);
                    }
                })
            })
            .collect();
        let forked: Vec<_> = forkers.into_iter().map(|forker| forker.join()).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(forked.iter().all(Result::is_ok), "every child worked");
    });
}

#[test]
fn a_type_may_be_used_first_of_all_during_forks() {
    // What is added to the set of types while a fork holds it would be let go of without having
    // been taken.
    macro_rules! types {
        ($($name:ident),*) => {{
            $(
                #[derive_allocator]
                struct $name;
                subjects!($name);
            )*
            [$(|| checked_load::run::<$name>(&mut Random::new(1), 50)),*]
        }};
    }
    let _alone = alone();
    let first_uses: [fn() -> checked_load::Seen; 12] = types!(A, B, C, D, E, F, G, H, I, J, K, L);
    for first_use in first_uses {
        let user = thread::spawn(first_use);
        for _ in 0..5 {
            fork(|| work_in_child(2)).succeeds();
        }
        user.join().expect("the thread found no fault");
    }
}

#[test]
fn handlers_that_allocate_do_not_deadlock_a_fork() {
    for order in ["handlers_first", "allocator_first"] {
        Program::new(env!("CARGO_BIN_EXE_fork_handlers"), &[order]).succeeds();
    }
}

#[test]
fn children_of_a_program_with_a_declared_global_allocator_work() {
    for program in [
        env!("CARGO_BIN_EXE_global_as_it_comes"),
        env!("CARGO_BIN_EXE_global_stock"),
        env!("CARGO_BIN_EXE_global_pointer"),
        env!("CARGO_BIN_EXE_global_checked"),
        env!("CARGO_BIN_EXE_global_guarded"),
    ] {
        Program::new(program, &["forks", "60"]).succeeds();
    }
}
