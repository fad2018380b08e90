//! Forks while another thread is parked in a call of the OS, of a program whose type is its `malloc`.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use allocator_core::os::{Call, fault};

use super::{c_calls, c_faults};
use crate::crew::Worker;
use crate::forked::{fork, on_another_thread};
use crate::injected::{CALLS, GUARD_CALLS, parking};

/// Some blocks of C, which another thread may free.
struct Blocks(Vec<usize>);

impl Blocks {
    fn new(count: usize) -> Self {
        let size_of = |index| 10 + 17 * index;
        // SAFETY: always allowed.
        let allocate = |index| unsafe { black_box(libc::malloc(size_of(index))) };
        Self(
            (0..count)
                .map(|i| allocate(i).expose_provenance())
                .collect(),
        )
    }

    fn free(self) {
        for block in self.0 {
            // SAFETY: each freed once.
            unsafe { libc::free(std::ptr::with_exposed_provenance_mut(block)) };
        }
    }
}

/// Allocates by C, resizes, and frees: bytes.
fn huge(size: usize, then: usize) {
    // SAFETY: freed once.
    unsafe {
        let block = black_box(libc::malloc(size));
        assert!(!block.is_null());
        let resized = black_box(libc::realloc(block, then));
        assert!(!resized.is_null());
        libc::free(resized);
    }
}

/// Makes the call, sooner or later; `idle` is a thread that has nothing to do.
fn make(call: Call, idle: &Worker) {
    match call {
        Call::Map | Call::Unmap | Call::Advise => huge(20 << 20, 20 << 20),
        Call::Remap => huge(20 << 20, 30 << 20),
        // Of a type with guards.
        Call::Guard | Call::Protect => huge(20 << 20, 20 << 20),
        Call::Unguard => huge(20 << 20, 30 << 20),
        Call::Purge => Blocks::new(2000).free(),
        // Mail for a thread whose gate is knocked at.
        Call::Barrier => idle.run(|| Blocks::new(2000)).free(),
        Call::ThreadEnd => {
            thread::spawn(|| huge(48, 4800)).join().expect("no panic");
        }
    }
    // SAFETY: always allowed.
    unsafe { libc::malloc_trim(0) };
}

/// In a chunk of the arena's, inside the thread's gate.
fn map_a_chunk() {
    let before = fault::calls(Call::Map);
    let mut blocks = Vec::new();
    while fault::calls(Call::Map) == before {
        blocks.push(Blocks::new(500));
    }
    blocks.into_iter().for_each(Blocks::free);
}

/// What the child does: all that its parent could.
fn work_in_child(seed: u64) {
    // The parent's faults are not the child's.
    fault::reset();
    let work = move || {
        assert_eq!(c_faults::load(seed), 0);
        Blocks::new(1000).free();
    };
    work();
    on_another_thread(work);
    c_calls::corners(&[]);
}

/// Whether the peer is to go on to its call. It is there before, so that nothing but the call is left to do.
static GO: AtomicBool = AtomicBool::new(false);

/// Has a thread do `act`, which makes the call, and forks while that is parked.
fn fork_while_parked(call: Call, act: impl FnOnce(&Worker) + Send + 'static) {
    GO.store(false, Ordering::SeqCst);
    let other = Worker::start();
    let (theirs, mine) = (other.run(|| Blocks::new(300)), Blocks::new(300));
    let peer = thread::spawn(move || {
        Blocks::new(100).free();
        let idle = Worker::start();
        idle.run(|| Blocks::new(10)).free();
        while !GO.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_micros(100));
        }
        act(&idle);
    });
    thread::sleep(Duration::from_millis(5));
    let parked = parking(call);
    GO.store(true, Ordering::SeqCst);
    while !fault::is_parked(call) {
        if peer.is_finished() {
            drop(parked);
            panic!("the peer never made the call {call:?}");
        }
        thread::sleep(Duration::from_micros(100));
    }
    fork(|| {
        theirs.free();
        mine.free();
        work_in_child(call as u64);
    })
    .succeeds();
    assert!(fault::is_parked(call), "the peer was parked all the time");
    drop(parked);
    peer.join().expect("the peer goes on");
    other.run(|| Blocks::new(300)).free();
}

/// Forks while another thread is parked in each call of the OS that `arguments` name.
pub fn forks_while_parked(arguments: &[String]) {
    for name in arguments {
        let is_named = |call: &&Call| format!("{call:?}") == *name;
        let mut calls = CALLS.iter().chain(&GUARD_CALLS);
        let call = *calls.find(is_named).expect("a call of this name");
        fork_while_parked(call, move |idle| make(call, idle));
        if call == Call::Map {
            fork_while_parked(call, |_| map_a_chunk());
        }
    }
}
