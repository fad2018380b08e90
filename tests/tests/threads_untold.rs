//! Threads of whose end the OS does not tell: it refuses to, or has no key left for it. They go
//! without heaps and leave nothing behind.
//!
//! The key is the process's, so each test is a process of its own.

use std::sync::{Arc, Mutex};
use std::thread;

use allocator_core::derive_allocator;
use allocator_core::os::Call;
use allocator_tests::block::Block;
use allocator_tests::child;
use allocator_tests::injected::failures;
use allocator_tests::process::resident_bytes;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::Subject;
use allocator_tests::subjects;

#[derive_allocator(stats = counters)]
struct Inline;

#[derive_allocator(tls = pointer, stats = counters)]
struct Pointer;

subjects!(Inline, Pointer);

/// Threads of a test.
const THREADS: usize = if cfg!(debug_assertions) { 1000 } else { 4000 };
/// Threads at a time.
const AT_A_TIME: usize = 4;

/// Allocates, hands a few blocks on, and frees the rest and as many of others.
fn one_life<A: Subject>(mut random: Random, handed_on: &Mutex<Vec<Block<A>>>) {
    let mut mine: Vec<Block<A>> = (0..40)
        .map(|i| {
            let size = [100, 3000, 100_000][random.below(64) / 31];
            Block::new(1 + random.below(size), 8, false, i).expect("there is memory")
        })
        .collect();
    random.shuffle(&mut mine);
    let given = mine.split_off(35);
    mine.into_iter().for_each(Block::free);
    let taken = {
        let mut handed_on = handed_on.lock().unwrap();
        handed_on.extend(given);
        let enough = handed_on.len().min(50);
        handed_on.split_off(enough)
    };
    taken.into_iter().for_each(Block::free);
}

fn lives<A: Subject>(random: &mut Random, threads: usize) {
    let handed_on = Arc::new(Mutex::new(Vec::with_capacity(200)));
    for _ in 0..threads / AT_A_TIME {
        let threads = [(); AT_A_TIME].map(|()| {
            let (random, handed_on) = (Random::new(random.next()), handed_on.clone());
            thread::spawn(move || one_life::<A>(random, &handed_on))
        });
        // Joined one by one: a scope does not wait for what a thread does at its very end.
        for thread in threads {
            thread.join().expect("the thread found no fault");
        }
    }
    handed_on.lock().unwrap().drain(..).for_each(Block::free);
    A::purge();
    A::check();
}

/// Thousands of threads without heaps.
fn leave_nothing_behind<A: Subject>() {
    let mut random = Random::new(seed_of(A::CHOICES.name));
    lives::<A>(&mut random, 100);
    let (before, refills) = (resident_bytes(), A::stats().refills);
    lives::<A>(&mut random, THREADS);
    let left = resident_bytes().saturating_sub(before);
    println!("{}: {} KiB left", A::CHOICES.name, left >> 10);
    assert!(left < 1 << 20, "{left} bytes left");
    let stats = A::stats();
    assert_eq!(stats.refills, refills, "there was a heap");
    assert_eq!(stats.allocations, stats.frees);
    assert_eq!(stats.held_bytes, 0);
}

/// A thread that gets a heap: the last one did not because the OS would not.
fn has_a_heap_again<A: Subject>() {
    let refills = A::stats().refills;
    lives::<A>(&mut Random::new(1), AT_A_TIME);
    let stats = A::stats();
    assert!(stats.refills > refills, "there was no heap");
    assert_eq!(stats.pages_made, stats.pages_retired);
    assert_eq!(stats.held_bytes, 0);
}

/// Makes all the keys that there are left. Without destructors: the tests' threads set none.
fn use_up_all_keys() -> Vec<libc::pthread_key_t> {
    let mut keys = Vec::new();
    loop {
        let mut key = 0;
        // SAFETY: `key` is valid for writes.
        if unsafe { libc::pthread_key_create(&raw mut key, None) } != 0 {
            return keys;
        }
        keys.push(key);
    }
}

/// Runs `act` in a process of its own.
fn in_a_process_of_its_own(name: &str, act: fn()) {
    if child::is_child_of(name) {
        return act();
    }
    let output = child::run_again(name);
    print!("{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
}

macro_rules! tests {
    ($($name:ident $act:block)*) => { $(
        #[test]
        fn $name() {
            in_a_process_of_its_own(stringify!($name), || $act);
        }
    )* };
}

tests! {
    threads_for_which_no_key_can_be_made_leave_nothing_behind {
        let failing = failures(Call::ThreadEnd);
        leave_nothing_behind::<Inline>();
        leave_nothing_behind::<Pointer>();
        drop(failing);
        has_a_heap_again::<Inline>();
        has_a_heap_again::<Pointer>();
    }

    threads_for_which_the_key_cannot_be_set_leave_nothing_behind {
        lives::<Inline>(&mut Random::new(1), AT_A_TIME);
        let failing = failures(Call::ThreadEnd);
        leave_nothing_behind::<Inline>();
        leave_nothing_behind::<Pointer>();
        drop(failing);
        has_a_heap_again::<Inline>();
        has_a_heap_again::<Pointer>();
    }

    threads_of_a_process_that_has_used_up_its_keys_leave_nothing_behind {
        let keys = use_up_all_keys();
        assert!(keys.len() > 100, "{} keys", keys.len());
        leave_nothing_behind::<Inline>();
        leave_nothing_behind::<Pointer>();
        // Any key will do, the first of all, too.
        // SAFETY: made above, and set by nobody.
        let failed = unsafe { libc::pthread_key_delete(keys[0]) };
        assert_eq!(failed, 0);
        has_a_heap_again::<Inline>();
        has_a_heap_again::<Pointer>();
    }
}
