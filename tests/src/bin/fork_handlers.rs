//! A program with handlers of fork that allocate and free, registered before or after the
//! allocator's own, which four threads run at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use allocator_core::derive_allocator;
use allocator_tests::block::Block;
use allocator_tests::checked_load;
use allocator_tests::forked::fork;
use allocator_tests::random::Random;
use allocator_tests::subjects;

/// As it comes.
#[derive_allocator(purge = after(1ms))]
struct Used;

/// Used in handlers only, and by each of their threads for the first time.
#[derive_allocator(tls = pointer, purge = now)]
struct First;

subjects!(Used, First);

/// Handlers' blocks: what one allocates, another frees.
static LEFT: Mutex<Vec<Block<First>>> = Mutex::new(Vec::new());
static CALLS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn allocate_and_free() {
    let mut random = Random::new(CALLS.fetch_add(1, Ordering::Relaxed) as u64);
    assert_eq!(checked_load::run::<Used>(&mut random, 40).refused, 0);
    assert_eq!(checked_load::run::<First>(&mut random, 40).refused, 0);
    // Not held across a fork: in the child nobody would let go of it.
    if let Ok(mut left) = LEFT.try_lock() {
        left.drain(..).for_each(Block::free);
        left.extend(Block::new(random.below(5000), 8, false, 1));
    }
}

fn register() {
    let handler = Some(allocate_and_free as unsafe extern "C" fn());
    // SAFETY: the handlers live as long as the process.
    let result = unsafe { libc::pthread_atfork(handler, handler, handler) };
    assert_eq!(result, 0);
}

fn main() {
    let order = std::env::args().nth(1).expect("the order");
    if order == "handlers_first" {
        register();
    }
    checked_load::run::<Used>(&mut Random::new(1), 100);
    if order == "allocator_first" {
        register();
    }
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            thread::spawn(move || {
                // The first two fork as their first act.
                for _ in 0..20 {
                    fork(|| {
                        checked_load::run::<Used>(&mut Random::new(seed), 60);
                        checked_load::run::<First>(&mut Random::new(seed), 60);
                    })
                    .succeeds();
                    if seed >= 2 {
                        checked_load::run::<Used>(&mut Random::new(seed), 60);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("the thread found no fault");
    }
    assert!(
        CALLS.load(Ordering::Relaxed) >= 160,
        "the handlers were called"
    );
}
