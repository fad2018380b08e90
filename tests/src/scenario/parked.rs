//! Forks while another thread is parked in a call of the OS, by either face.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use allocator_core::os::{Call, fault};

use crate::crew::Worker;
use crate::face::Face;
use crate::forked::{fork, on_another_thread};
use crate::injected::{CALLS, GUARD_CALLS, parking};

/// Some blocks, which any thread may free.
struct Blocks<F>(Vec<(usize, usize)>, PhantomData<F>);

impl<F: Face> Blocks<F> {
    fn new(count: usize) -> Self {
        let sizes = (0..count).map(|index| 10 + 17 * index);
        let blocks = sizes.map(|size| (F::allocate(size), size)).collect();
        Self(blocks, PhantomData)
    }

    fn free(self) {
        for (block, size) in self.0 {
            // SAFETY: each freed once.
            unsafe { F::free(block, size) };
        }
    }
}

/// Allocates, resizes, and frees: bytes.
fn resized<F: Face>(size: usize, then: usize) {
    let block = F::allocate(size);
    // SAFETY: freed once.
    unsafe {
        let block = F::try_resize(block, size, then).expect("there is memory");
        F::free(block, then);
    }
}

/// Makes the call, sooner or later; `idle` is a thread that has nothing to do.
fn make<F: Face>(call: Call, idle: &Worker) {
    match call {
        Call::Map | Call::Unmap | Call::Advise => resized::<F>(20 << 20, 20 << 20),
        Call::Remap => resized::<F>(20 << 20, 30 << 20),
        // Of a type with guards.
        Call::Guard | Call::Protect => resized::<F>(20 << 20, 20 << 20),
        Call::Unguard => resized::<F>(20 << 20, 30 << 20),
        // Of a type that clears.
        Call::Residence => resized::<F>(1 << 20, 1 << 20),
        Call::Purge => Blocks::<F>::new(2000).free(),
        // Mail for a thread whose gate is knocked at.
        Call::Barrier => idle.run(|| Blocks::<F>::new(2000)).free(),
        Call::ThreadEnd => {
            thread::spawn(|| resized::<F>(48, 4800))
                .join()
                .expect("no panic");
        }
    }
    F::purge();
}

/// In a chunk of the arena's, inside the thread's gate.
fn map_a_chunk<F: Face>() {
    let before = fault::calls(Call::Map);
    let mut blocks = Vec::new();
    while fault::calls(Call::Map) == before {
        blocks.push(Blocks::<F>::new(500));
    }
    blocks.into_iter().for_each(Blocks::<F>::free);
}

/// What the child does: all that its parent could.
fn work_in_child<F: Face>(seed: u64) {
    // The parent's faults are not the child's.
    fault::reset();
    let work = move || {
        assert_eq!(F::load(seed), 0);
        Blocks::<F>::new(1000).free();
    };
    work();
    on_another_thread(work);
}

/// Whether the peer is to go on to its call. It is there before, so that nothing but the call is left to do.
static GO: AtomicBool = AtomicBool::new(false);

/// Has a thread do `act`, which makes the call, and forks while that is parked.
fn fork_while_parked<F: Face>(call: Call, act: impl FnOnce(&Worker) + Send + 'static) {
    GO.store(false, Ordering::SeqCst);
    let other = Worker::start();
    let (theirs, mine) = (other.run(|| Blocks::<F>::new(300)), Blocks::<F>::new(300));
    let peer = thread::spawn(move || {
        Blocks::<F>::new(100).free();
        let idle = Worker::start();
        idle.run(|| Blocks::<F>::new(10)).free();
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
        work_in_child::<F>(call as u64);
    })
    .succeeds();
    assert!(fault::is_parked(call), "the peer was parked all the time");
    drop(parked);
    peer.join().expect("the peer goes on");
    other.run(|| Blocks::<F>::new(300)).free();
}

/// Forks while another thread is parked in each call of the OS that `arguments` name.
pub fn forks_while_parked<F: Face>(arguments: &[String]) {
    for name in arguments {
        let is_named = |call: &&Call| format!("{call:?}") == *name;
        let mut calls = CALLS.iter().chain(&GUARD_CALLS);
        let call = *calls.find(is_named).expect("a call of this name");
        fork_while_parked::<F>(call, move |idle| make::<F>(call, idle));
        if call == Call::Map {
            fork_while_parked::<F>(call, |_| map_a_chunk::<F>());
        }
    }
}
