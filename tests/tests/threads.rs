//! Threads: their first act, their end, and what many of them leave behind.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::child::{is_child_of, run_again};
use allocator_tests::crew::Worker;
use allocator_tests::forked::fork;
use allocator_tests::process::alone;
use allocator_tests::program::Program;
use allocator_tests::subject::Subject;
use allocator_tests::subjects;

const AS_IT_COMES: &str = env!("CARGO_BIN_EXE_global_as_it_comes");
const STOCK: &str = env!("CARGO_BIN_EXE_global_stock");
const POINTER: &str = env!("CARGO_BIN_EXE_global_pointer");
const CHECKED: &str = env!("CARGO_BIN_EXE_global_checked");
const GUARDED: &str = env!("CARGO_BIN_EXE_global_guarded");

#[test]
fn sixteen_thousand_short_threads_leave_nothing_behind() {
    Program::new(AS_IT_COMES, &["churn", "16000"]).succeeds();
    // Of the others as many where that does not take a minute.
    let threads = if cfg!(debug_assertions) {
        "2000"
    } else {
        "16000"
    };
    for program in [STOCK, POINTER, CHECKED, GUARDED] {
        Program::new(program, &["churn", threads]).succeeds();
    }
}

#[test]
fn a_thousand_live_threads_take_little_each() {
    for program in [AS_IT_COMES, STOCK, POINTER, CHECKED] {
        Program::new(program, &["live_threads", "1000", "1024", "512", "64"]).succeeds();
    }
    // Where freed blocks wait, more of them are in use.
    Program::new(GUARDED, &["live_threads", "1000", "1024", "512", "128"]).succeeds();
}

#[test]
fn destructors_that_allocate_up_to_the_last_pass_leak_nothing() {
    for program in [AS_IT_COMES, STOCK, POINTER, CHECKED, GUARDED] {
        Program::new(program, &["key_destructors", "400"]).succeeds();
    }
}

#[test]
fn types_first_used_in_the_last_pass_of_destructors_leak_nothing() {
    // As many as are tried for the program's own `malloc`, in `preload.rs`.
    let threads = if cfg!(debug_assertions) { "60" } else { "800" };
    for program in [AS_IT_COMES, STOCK, POINTER, CHECKED, GUARDED] {
        Program::new(program, &["late_first_use", threads]).succeeds();
    }
}

/// A type that counts, for one test only: its figures are that test's.
macro_rules! declare {
    ($($name:ident: $($option:ident = $value:tt),*;)*) => { $(
        #[derive_allocator(stats = counters $(, $option = $value)*)]
        struct $name;
        subjects!($name);
    )* };
}

declare! {
    OnlyFrees: ;
    OnlyFreesByPointer: tls = pointer;
    Handed: ;
    HandedByPointer: tls = pointer;
    HandedWhileLocked: ;
}

fn frees_make_no_heap<A: Subject>() {
    let _alone = alone();
    let blocks: Vec<Block<A>> = [1, 48, 300, 5000, 32 << 10, 200_000, 17 << 20]
        .into_iter()
        .cycle()
        .take(700)
        .enumerate()
        .map(|(i, size)| Block::new(size, 8, false, i as u64).expect("there is memory"))
        .collect();
    let announced = fault::calls(Call::ThreadEnd);
    let made = A::stats().pages_made;
    let worker = Worker::start();
    worker.run(move || blocks.into_iter().for_each(Block::free));
    assert_eq!(
        fault::calls(Call::ThreadEnd),
        announced,
        "no end to be told of"
    );
    assert_eq!(A::stats().pages_made, made);
    // The counter does count: the same thread's first allocation has its end told.
    worker.run(|| {
        Block::<A>::new(48, 8, false, 1)
            .expect("there is memory")
            .free()
    });
    assert!(fault::calls(Call::ThreadEnd) > announced);
    assert_eq!(A::stats().allocations, A::stats().frees);
}

#[test]
fn a_thread_that_only_frees_makes_no_heap() {
    frees_make_no_heap::<OnlyFrees>();
}

#[test]
fn a_thread_that_only_frees_makes_no_heap_behind_a_pointer() {
    frees_make_no_heap::<OnlyFreesByPointer>();
}

fn pages_are_handed_on<A: Subject>() {
    let _alone = alone();
    let survivors = thread::spawn(|| {
        let mut blocks: Vec<Block<A>> = (0..5000)
            .map(|i| Block::new(100, 8, false, i).expect("there is memory"))
            .collect();
        // One block of every page stays, at least.
        (0..50)
            .map(|_| blocks.swap_remove(blocks.len() / 2))
            .for_each(Block::free);
        let mut survivors = Vec::new();
        for (i, block) in blocks.into_iter().enumerate() {
            if i % 100 == 0 {
                survivors.push(block);
            } else {
                block.free();
            }
        }
        survivors
    })
    .join()
    .expect("the thread ends");
    let left = A::stats();
    assert!(left.pages_abandoned >= 5, "{left:?}");
    let blocks: Vec<Block<A>> = thread::spawn(|| {
        let blocks = (0..4000)
            .map(|i| Block::new(100, 8, false, i).expect("there is memory"))
            .collect();
        A::check();
        blocks
    })
    .join()
    .expect("the thread ends");
    let taken = A::stats();
    assert!(taken.pages_adopted >= 5, "{taken:?}");
    assert!(
        taken.pages_made <= left.pages_made + 2,
        "what was left behind served: {left:?} {taken:?}"
    );
    survivors.into_iter().chain(blocks).for_each(Block::free);
    A::purge();
    assert_eq!(A::stats().held_bytes, 0, "{:?}", A::stats());
}

#[test]
fn pages_with_live_blocks_of_ended_threads_serve_others() {
    pages_are_handed_on::<Handed>();
}

#[test]
fn pages_with_live_blocks_of_ended_threads_serve_others_behind_a_pointer() {
    pages_are_handed_on::<HandedByPointer>();
}

/// The thread that allocates waits for the lock, and does not make a page beside those that are there.
/// While the handlers of a fork run, all locks are held for as long as one of them takes.
#[test]
fn so_they_do_while_the_lock_is_held() {
    const NAME: &str = "so_they_do_while_the_lock_is_held";
    static IS_HELD: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" fn stays() {
        IS_HELD.store(true, SeqCst);
        thread::sleep(Duration::from_millis(200));
    }
    if !is_child_of(NAME) {
        let output = run_again(NAME);
        assert!(output.status.success(), "{output:?}");
        return;
    }
    // Registered before the allocator's, so it runs after it.
    // SAFETY: a function that lives as long as the process.
    assert_eq!(unsafe { libc::pthread_atfork(Some(stays), None, None) }, 0);
    let new = |cookie| Block::<HandedWhileLocked>::new(100, 8, false, cookie).expect("memory");
    let left = thread::spawn(move || (0..100).map(new).collect::<Vec<_>>()).join();
    let worker = Worker::start();
    // It has a heap, and no page of the class.
    worker.run(|| {
        Block::<HandedWhileLocked>::new(1000, 8, false, 0)
            .expect("memory")
            .free()
    });
    let before = HandedWhileLocked::stats();
    let forks = thread::spawn(|| fork(|| {}).succeeds());
    let block = worker.run(move || {
        while !IS_HELD.load(SeqCst) {
            thread::yield_now();
        }
        new(0)
    });
    forks.join().expect("the child ends well");
    let after = HandedWhileLocked::stats();
    assert_eq!(after.pages_adopted, before.pages_adopted + 1, "{after:?}");
    assert_eq!(after.pages_made, before.pages_made, "{after:?}");
    block.free();
    left.expect("it ended well")
        .into_iter()
        .for_each(Block::free);
}
