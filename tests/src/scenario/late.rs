//! Threads that turn to an allocator type for the first time when they are at their very end: in
//! the last pass of the OS over the destructors of their keys.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use allocator_core::derive_allocator;

use super::figures::{report, resident_bytes};
use super::live::{Live, some_blocks};
use super::threads::idle_then_one_operation;
use crate::block::Block;
use crate::forked::on_another_thread;
use crate::random::Random;
use crate::subject::Subject;
use crate::subjects;

/// Used at a thread's end only.
#[derive_allocator(stats = counters)]
struct Late;

/// Used at a thread's end only.
#[derive_allocator(tls = pointer, stats = counters)]
struct LateByPointer;

subjects!(Late, LateByPointer);

/// Passes of the OS over the destructors of a thread's keys (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const PASSES: u32 = 4;

thread_local! {
    /// Destructor calls left to this thread before the one that allocates.
    static BEFORE_THE_LAST: Cell<u32> = const { Cell::new(PASSES - 1) };
}

/// The key that the next thread sets.
static KEY: AtomicU32 = AtomicU32::new(0);
/// Calls in the last pass.
static LAST_CALLS: AtomicUsize = AtomicUsize::new(0);

/// Blocks of many sizes, allocated and freed; as many bytes as a thread may well use.
fn use_type<A: Subject>(seed: u64) {
    let mut random = Random::new(seed);
    let blocks: Vec<Block<A>> = (0..40)
        .chain([70_000, 17 << 20])
        .map(|size| {
            let size = if size < 40 {
                8 + random.below(3000)
            } else {
                size
            };
            Block::new(size, 8, false, seed).expect("there is memory")
        })
        .collect();
    blocks.into_iter().for_each(Block::free);
}

/// Sets its key again until the last pass; then it allocates and frees.
unsafe extern "C" fn at_the_end(key: *mut c_void) {
    let left = BEFORE_THE_LAST.get();
    if left > 0 {
        BEFORE_THE_LAST.set(left - 1);
        set(key);
        return;
    }
    LAST_CALLS.fetch_add(1, Ordering::SeqCst);
    use_type::<Late>(1);
    use_type::<LateByPointer>(2);
    // And the program's own, which some of the threads have not used either.
    let blocks = some_blocks(&mut Random::new(3), 20_000, 4096);
    blocks.into_iter().for_each(Live::free);
}

/// Sets the key whose number + 1 is the value.
fn set(key: *mut c_void) {
    // SAFETY: the key was made.
    let failed = unsafe { libc::pthread_setspecific((key.addr() - 1) as libc::pthread_key_t, key) };
    assert_eq!(failed, 0);
}

fn make_key() -> u32 {
    let mut key = 0;
    // SAFETY: `key` is valid for writes.
    let failed = unsafe { libc::pthread_key_create(&raw mut key, Some(at_the_end)) };
    assert_eq!(failed, 0);
    key
}

/// Does nothing but set the key, not by std, which may allocate and free at a thread's start.
fn only_an_end() {
    set(ptr::without_provenance_mut(
        KEY.load(Ordering::SeqCst) as usize + 1,
    ));
}

/// Allocates and frees first.
fn a_life_and_an_end() {
    let blocks = some_blocks(&mut Random::new(4), 20_000, 4096);
    blocks.into_iter().for_each(Live::free);
    only_an_end();
}

/// So many threads one after the other, half of which have used the program's allocator before.
/// One of their keys is made before the allocator's own, one after it.
pub fn late_first_use(arguments: &[String]) {
    let threads: usize = arguments[0].parse().expect("a number");
    let keys = [make_key(), {
        on_another_thread(|| Live::new(10).expect("there is memory").free());
        make_key()
    }];
    let wave = |threads: usize| {
        for i in 0..threads {
            KEY.store(keys[i % 2], Ordering::SeqCst);
            if i / 2 % 2 == 0 {
                on_another_thread(only_an_end);
            } else {
                on_another_thread(a_life_and_an_end);
            }
        }
        idle_then_one_operation();
    };
    wave(40);
    let (before, calls) = (resident_bytes(), LAST_CALLS.load(Ordering::SeqCst));
    wave(threads);
    let left = resident_bytes().saturating_sub(before);
    report("left_kib", left >> 10);
    assert_eq!(LAST_CALLS.load(Ordering::SeqCst) - calls, threads);
    assert!(left < 1 << 20, "{left} bytes left");
    for stats in [Late::stats(), LateByPointer::stats()] {
        assert_eq!(stats.allocations, stats.frees);
        assert_eq!(stats.pages_made, stats.pages_retired);
        assert_eq!(stats.held_bytes, 0);
        // Some were told of in time, and the others were served without a heap.
        assert!(0 < stats.refills && stats.refills < stats.allocations / 4);
    }
}
