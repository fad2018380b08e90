//! Threads that share nothing but blocks, for ThreadSanitizer to look at: built with it by `.ci/sanitize`, and by
//! `mutants -- --races` with a fault in the core that has to be reported.
//!
//! Blocks go from thread to thread by one `Release` and one `Acquire`, which tells the sanitizer that who frees a block
//! comes after who filled it. That who fills it next comes after who freed it, nobody says but the allocator.
//! There is no lock and no channel of Rust's library here: that is not built for the sanitizer, which would
//! not see what they order.

mod ends;
mod exchange;
mod faces;
mod life;
mod nameless;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use faces::{
    ByLayout, C, Cached, Checked, Compact, Default, Eager, Face, Fortified, Recorded, Walled,
};
use life::Done;

/// Threads of each type that live and are followed by others.
const LINES: usize = 2;

/// Everybody is to stop. Relaxed throughout: nothing follows from it.
static ENDS: AtomicBool = AtomicBool::new(false);

/// Threads, one after the other, until the end.
fn line<F: Face>(mut random: Rng) -> Done {
    let mut done = Done::default();
    while !ENDS.load(Ordering::Relaxed) {
        let random = random.fork();
        let life = ends::spawn(move || life::live::<F>(random));
        done += life.join().expect("the thread found no fault");
    }
    done
}

/// A thread that is mostly away, so that others visit its heap.
fn sleeper<F: Face>(mut random: Rng) -> Done {
    let mut done = Done::default();
    while !ENDS.load(Ordering::Relaxed) {
        life::leave_a_row::<F>(&mut random, &mut done);
        thread::sleep(Duration::from_millis(15));
    }
    done
}

/// Gives back what is free while everybody works.
fn purger<F: Face>() -> Done {
    while !ENDS.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(40));
        F::purge();
    }
    Done::default()
}

/// All threads of a type.
fn start<F: Face>(random: &mut Rng) -> Vec<thread::JoinHandle<Done>> {
    let mut threads = Vec::new();
    for _ in 0..LINES {
        let random = random.fork();
        threads.push(ends::spawn(move || line::<F>(random)));
    }
    let sleeper_random = random.fork();
    threads.push(ends::spawn(move || sleeper::<F>(sleeper_random)));
    threads.push(ends::spawn(purger::<F>));
    threads
}

/// The environment's seed, or any: printed, and given back it makes the same sizes, if not the same turns of
/// the threads.
fn seed() -> u64 {
    let given = std::env::var("ALLOCATOR_TESTS_SEED").ok();
    let seed = match given {
        Some(text) => text.parse().expect("ALLOCATOR_TESTS_SEED is a number"),
        None => fastrand::u64(..),
    };
    println!("ALLOCATOR_TESTS_SEED={seed}");
    seed
}

/// `raced SECONDS`
fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    let Some(seconds) = argument.and_then(|text| text.parse::<u32>().ok()) else {
        eprintln!("usage: raced SECONDS");
        return ExitCode::from(2);
    };
    ends::find_key(faces::first_allocation);
    // SAFETY: always allowed; whoever hangs is ended.
    unsafe { libc::alarm(seconds + 120) };
    let mut random = Rng::with_seed(seed());
    let starts = [
        start::<ByLayout<Default>>,
        start::<ByLayout<Compact>>,
        start::<ByLayout<Eager>>,
        start::<ByLayout<Cached>>,
        start::<ByLayout<Recorded>>,
        start::<ByLayout<Checked>>,
        start::<ByLayout<Walled>>,
        start::<ByLayout<Fortified>>,
        start::<C>,
    ];
    let threads: Vec<_> = starts.iter().flat_map(|start| start(&mut random)).collect();
    thread::sleep(Duration::from_secs(seconds.into()));
    ENDS.store(true, Ordering::Relaxed);
    let mut done = Done::default();
    for thread in threads {
        done += thread.join().expect("the thread found no fault");
    }
    println!("{done}");
    ExitCode::SUCCESS
}
