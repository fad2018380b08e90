//! Threads that come and go.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use super::figures::{mappings, mib, report, resident_bytes};
use super::live::{Live, some_blocks, some_size};
use crate::random::Random;

/// Longer than any purge delay of the programs.
const PURGE_DELAYS: Duration = Duration::from_millis(40);

fn number(arguments: &[String], index: usize) -> usize {
    arguments[index].parse().expect("a number")
}

/// Waits for the purge delay; then another thread does one operation off the fast path.
pub fn idle_then_one_operation() {
    thread::sleep(PURGE_DELAYS);
    thread::spawn(|| Live::new(48).expect("there is memory").free())
        .join()
        .expect("the thread ends");
}

/// `threads` short threads, some at a time; each leaves a few blocks that others free.
pub fn churn(arguments: &[String]) {
    const AT_A_TIME: usize = 8;
    let threads = number(arguments, 0);
    let survivors = Arc::new(Mutex::new(Vec::new()));
    let wave = |seed: u64| {
        let threads: [_; AT_A_TIME] = std::array::from_fn(|i| {
            let survivors = survivors.clone();
            thread::spawn(move || one_short_life(Random::new(seed << 8 | i as u64), &survivors))
        });
        // Joined, so that their stacks are there for the next: a thread's end comes after its result.
        for thread in threads {
            thread.join().expect("the thread found no fault");
        }
    };
    // Warm: the stacks that the C library keeps (all threads at once), the program's own buffers.
    let all_there = Arc::new(Barrier::new(AT_A_TIME));
    let warm: [_; AT_A_TIME] = std::array::from_fn(|_| {
        let all_there = all_there.clone();
        thread::spawn(move || {
            let _ = all_there.wait();
        })
    });
    for thread in warm {
        thread.join().expect("the thread ends");
    }
    for seed in 0..20 {
        wave(seed);
    }
    survivors.lock().unwrap().drain(..).for_each(Live::free);
    idle_then_one_operation();
    let (before, mappings_before) = (resident_bytes(), mappings());
    let mut mappings_max = 0;
    for seed in 0..(threads / AT_A_TIME) as u64 {
        wave(1000 + seed);
        mappings_max = mappings_max.max(mappings());
    }
    survivors.lock().unwrap().drain(..).for_each(Live::free);
    idle_then_one_operation();
    let left = resident_bytes().saturating_sub(before);
    report("threads", threads);
    report("left_mib", mib(left));
    report("mappings_before", mappings_before);
    report("mappings_max", mappings_max);
    assert!(mib(left) < 8.0, "{} MiB left", mib(left));
    // A chunk of either grain more.
    assert!(
        mappings_max <= mappings_before + 4,
        "{mappings_before} mappings, then {mappings_max}"
    );
}

/// Allocates, frees most of it, leaves some for others and frees as much of others.
fn one_short_life(mut random: Random, survivors: &Mutex<Vec<Live>>) {
    let mut mine: Vec<Live> = (0..60)
        .map(|_| {
            let size = some_size(&mut random, 2048);
            Live::new(size).expect("there is memory")
        })
        .collect();
    random.shuffle(&mut mine);
    let handed_on = mine.split_off(50);
    mine.into_iter().for_each(Live::free);
    let mut survivors = survivors.lock().unwrap();
    survivors.extend(handed_on);
    while survivors.len() > 200 {
        let index = random.below(survivors.len());
        survivors.swap_remove(index).free();
    }
}

/// So many threads at once, each with so many bytes in blocks of up to so many: each takes so many KiB at most.
pub fn live_threads(arguments: &[String]) {
    let [threads, bytes, max, most] = [0, 1, 2, 3].map(|index| number(arguments, index));
    let all_there = Arc::new(Barrier::new(threads + 1));
    let all_may_go = Arc::new(Barrier::new(threads + 1));
    let before = resident_bytes();
    let handles: Vec<_> = (0..threads as u64)
        .map(|seed| {
            let (all_there, all_may_go) = (all_there.clone(), all_may_go.clone());
            thread::Builder::new()
                .stack_size(128 << 10)
                .spawn(move || {
                    let mut random = Random::new(seed);
                    let blocks = some_blocks(&mut random, bytes, max);
                    all_there.wait();
                    all_may_go.wait();
                    blocks.into_iter().for_each(Live::free);
                })
                .expect("the thread starts")
        })
        .collect();
    all_there.wait();
    let each = resident_bytes().saturating_sub(before) / threads;
    all_may_go.wait();
    for handle in handles {
        handle.join().expect("the thread ends");
    }
    report("kib_per_thread", each as f64 / 1024.0);
    // A debug build's frames take more of the stack.
    let most = if cfg!(debug_assertions) {
        most * 5 / 4
    } else {
        most
    };
    assert!(each <= most << 10, "{each} bytes per thread");
}

/// Times that the OS calls a key's destructor at the most (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const PASSES: u32 = 4;

thread_local! {
    /// Passes of the destructors left to this thread.
    static PASSES_LEFT: Cell<u32> = const { Cell::new(0) };
}

/// Keys whose destructors allocate, free, and set their key again.
static KEYS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
/// Destructor calls.
static DESTROYED: AtomicUsize = AtomicUsize::new(0);

fn make_key(slot: &AtomicUsize, destructor: unsafe extern "C" fn(*mut c_void)) {
    let mut key = 0;
    // SAFETY: `key` is valid for writes.
    let failed = unsafe { libc::pthread_key_create(&raw mut key, Some(destructor)) };
    assert_eq!(failed, 0);
    slot.store(key as usize, Ordering::SeqCst);
}

fn arm(slot: &AtomicUsize, live: Live) {
    let value = Box::into_raw(Box::new(live));
    let key = slot.load(Ordering::SeqCst) as libc::pthread_key_t;
    // SAFETY: the key was made.
    let result = unsafe { libc::pthread_setspecific(key, value.cast()) };
    assert_eq!(result, 0);
}

fn destroy(slot: &AtomicUsize, value: *mut c_void) {
    DESTROYED.fetch_add(1, Ordering::SeqCst);
    // SAFETY: made by arm().
    let live = unsafe { Box::from_raw(value.cast::<Live>()) };
    live.free();
    // Allocates and frees in every size, on the last pass too.
    let mut random = Random::new(7);
    let blocks = some_blocks(&mut random, 20_000, 4096);
    blocks.into_iter().for_each(Live::free);
    drop(format!("{:?}", vec![1_u64; 100]));
    let left = PASSES_LEFT.get();
    if left > 0 {
        PASSES_LEFT.set(left - 1);
        arm(slot, Live::new(3000).expect("there is memory"));
    }
}

unsafe extern "C" fn destroy_first(value: *mut c_void) {
    destroy(&KEYS[0], value);
}

unsafe extern "C" fn destroy_second(value: *mut c_void) {
    destroy(&KEYS[1], value);
}

/// `threads` threads whose keys' destructors allocate and free up to the last pass. One key is made
/// before the allocator's own, one after it.
pub fn key_destructors(arguments: &[String]) {
    make_key(&KEYS[0], destroy_first);
    thread::spawn(|| Live::new(10).expect("there is memory").free())
        .join()
        .expect("the thread ends");
    make_key(&KEYS[1], destroy_second);
    let wave = |threads: usize| {
        for i in 0..threads {
            thread::spawn(move || {
                PASSES_LEFT.set(PASSES - 1);
                let slot = &KEYS[i / 2 % 2];
                arm(slot, Live::new(100 + i).expect("there is memory"));
                let blocks = some_blocks(&mut Random::new(i as u64), 20_000, 4096);
                blocks.into_iter().for_each(Live::free);
            })
            .join()
            .expect("the thread ends");
        }
    };
    wave(40);
    idle_then_one_operation();
    let (before, destroyed) = (resident_bytes(), DESTROYED.load(Ordering::SeqCst));
    let threads = number(arguments, 0);
    wave(threads);
    idle_then_one_operation();
    let left = resident_bytes().saturating_sub(before);
    let destroyed = DESTROYED.load(Ordering::SeqCst) - destroyed;
    report("destructor_calls", destroyed);
    report("left_kib", left >> 10);
    assert!(
        destroyed >= threads * 4,
        "the destructors ran to the last pass"
    );
    assert!(left < 1 << 20, "{left} bytes left");
}
