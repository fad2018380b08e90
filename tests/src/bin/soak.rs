//! The soak: threads that come and go, blocks handed from one to the next, forks, refused calls of
//! the OS and purges, for as long as one likes. Every block is verified when it is freed.
//!
//! `cargo run --profile test-release -p allocator-tests --bin soak -- --minutes 15` (and `--threads 32`; `--tenths
//! 14` is the limit, for where the process has memory that is not its own, as under valgrind).
//!
//! Now and then everybody stands still and memory is purged. Then what is resident must be at most
//! 1.4 times what is live (both beyond what the process began with), and at the end nothing may be live or held.
//! `munmap` is not refused: what it refuses to take back is lost by definition.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use allocator_core::derive_allocator;
use allocator_core::os::fault;
use allocator_tests::block::Block;
use allocator_tests::forked::{fork, on_another_thread};
use allocator_tests::injected::CALLS_WITHOUT_LOSS;
use allocator_tests::process::resident_bytes;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::scenario::figures::mib;
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

/// As it comes.
#[derive_allocator(stats = counters)]
struct Default;

/// Nothing is kept, the heap behind a pointer.
#[derive_allocator(preset = compact, tls = pointer, stats = counters)]
struct Compact;

subjects!(Default, Compact);

/// Live bytes of one thread, about.
const LIVE_BYTES: usize = 20 << 20;
/// What is resident at most, in tenths of what is live.
const RESIDENT_TENTHS_MAX: usize = 14;
/// Between two times at which everybody stands still.
const ROUND: Duration = Duration::from_secs(10);
/// A child of fork that takes longer hangs: it runs beside some ten times as many threads as there are cores.
const HANG: Duration = Duration::from_secs(60);
/// Places where threads leave blocks for each other.
const EXCHANGES: usize = 1024;

/// What everybody looks at.
struct Soak {
    ends: AtomicBool,
    /// Held for reading by who works; for writing, everybody stands still.
    works: RwLock<()>,
    live_bytes: AtomicUsize,
    operations: AtomicU64,
    refused: AtomicU64,
    lives: AtomicU64,
    forks: AtomicU64,
    faults: AtomicU64,
}

static SOAK: Soak = Soak {
    ends: AtomicBool::new(false),
    works: RwLock::new(()),
    live_bytes: AtomicUsize::new(0),
    operations: AtomicU64::new(0),
    refused: AtomicU64::new(0),
    lives: AtomicU64::new(0),
    forks: AtomicU64::new(0),
    faults: AtomicU64::new(0),
};

/// A block that is counted as live.
struct Live<A>(Block<A>, usize);

impl<A: Subject> Live<A> {
    fn new(random: &mut Random) -> Option<Self> {
        let size = match random.below(1000) {
            0 => random.below(2 << 20),
            1..10 => random.below(128 << 10),
            10..100 => random.below(8 << 10),
            _ => 16 + random.below(1000),
        };
        let shifts = if random.below(50) == 0 { 13 } else { 4 };
        let align = 1 << random.below(shifts);
        let block = Block::new(size, align, random.below(8) == 0, random.next());
        SOAK.operations.fetch_add(1, SeqCst);
        let Some(block) = block else {
            SOAK.refused.fetch_add(1, SeqCst);
            return None;
        };
        let bytes = A::usable_size(layout(size, align));
        SOAK.live_bytes.fetch_add(bytes, SeqCst);
        Some(Self(block, bytes))
    }

    fn free(self) {
        SOAK.live_bytes.fetch_sub(self.1, SeqCst);
        self.0.free();
    }
}

type Exchange<A> = [Mutex<Option<Live<A>>>; EXCHANGES];

/// Blocks that threads of a type leave for each other, and those that ended threads left.
struct Commons<A> {
    exchange: Exchange<A>,
    left: Mutex<Vec<Vec<Live<A>>>>,
}

impl<A> Commons<A> {
    const fn new() -> Self {
        Self {
            exchange: [const { Mutex::new(None) }; EXCHANGES],
            left: Mutex::new(Vec::new()),
        }
    }
}

static DEFAULT: Commons<Default> = Commons::new();
static COMPACT: Commons<Compact> = Commons::new();

/// A thread's life: it goes on with what another left, and leaves it to the next.
fn life<A: Subject>(commons: &'static Commons<A>, mut random: Random) {
    SOAK.lives.fetch_add(1, SeqCst);
    let mut mine = commons.left.lock().unwrap().pop().unwrap_or_default();
    let mut bytes: usize = mine.iter().map(|live| live.1).sum();
    for _ in 0..20 + random.below(200) {
        if SOAK.ends.load(SeqCst) {
            break;
        }
        let _works = SOAK.works.read().unwrap();
        for _ in 0..100 {
            if bytes < LIVE_BYTES || mine.is_empty() {
                if let Some(live) = Live::new(&mut random) {
                    bytes += live.1;
                    mine.push(live);
                }
                continue;
            }
            let live = mine.swap_remove(random.below(mine.len()));
            bytes -= live.1;
            if random.below(3) > 0 {
                live.free();
                continue;
            }
            let mut place = commons.exchange[random.below(EXCHANGES)].lock().unwrap();
            if let Some(other) = place.replace(live) {
                drop(place);
                // Another thread's, most likely.
                other.free();
            }
        }
    }
    commons.left.lock().unwrap().push(mine);
}

/// Lives, one after the other.
fn lives<A: Subject>(commons: &'static Commons<A>, mut random: Random) {
    while !SOAK.ends.load(SeqCst) {
        let random = Random::new(random.next());
        let done = thread::spawn(move || life(commons, random)).join();
        assert!(done.is_ok(), "a thread failed: see above");
    }
}

/// Has the OS refuse some calls, again and again.
fn refuse(mut random: Random) {
    let calls = CALLS_WITHOUT_LOSS;
    while !SOAK.ends.load(SeqCst) {
        thread::sleep(Duration::from_millis(20));
        let _works = SOAK.works.read().unwrap();
        let count = 1 + random.below(4) as u64;
        fault::fail(calls[random.below(calls.len())], 0, count);
        SOAK.faults.fetch_add(count, SeqCst);
    }
}

/// Forks, again and again; the child allocates, frees, and starts a thread.
fn fork_often() {
    while !SOAK.ends.load(SeqCst) {
        thread::sleep(Duration::from_millis(500));
        let _works = SOAK.works.read().unwrap();
        let child = fork(|| {
            fault::reset();
            let work = || {
                for size in [24, 3000, 100_000] {
                    let block = Block::<Default>::new(size, 8, false, 1).expect("memory");
                    Block::<Compact>::new(size, 8, false, 1)
                        .expect("memory")
                        .free();
                    block.free();
                }
            };
            work();
            on_another_thread(work);
        });
        child.succeeds_within(HANG);
        SOAK.forks.fetch_add(1, SeqCst);
    }
}

fn purge_all() {
    // Not refused, and what one type's threads have in hand goes with their ends.
    fault::reset();
    Default::purge();
    Compact::purge();
}

/// Purges while everybody works.
fn purge_often() {
    while !SOAK.ends.load(SeqCst) {
        thread::sleep(Duration::from_millis(300));
        let _works = SOAK.works.read().unwrap();
        Default::purge();
        Compact::purge();
    }
}

/// Everybody stands still: resident bytes beyond the first ones, and live ones.
fn stand_still(base: usize) -> (usize, usize) {
    let _still = SOAK.works.write().unwrap();
    purge_all();
    let resident = resident_bytes().saturating_sub(base);
    (resident, SOAK.live_bytes.load(SeqCst))
}

fn free_commons<A: Subject>(commons: &Commons<A>) {
    for place in &commons.exchange {
        if let Some(live) = place.lock().unwrap().take() {
            live.free();
        }
    }
    let left = std::mem::take(&mut *commons.left.lock().unwrap());
    left.into_iter().flatten().for_each(Live::free);
}

fn argument(name: &str) -> Option<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).map(|text| text.parse().expect("a number"))
}

fn main() -> ExitCode {
    let minutes = argument("--minutes").unwrap_or(15);
    let seconds = argument("--seconds").unwrap_or(60 * minutes);
    let threads = argument("--threads").unwrap_or(32);
    let tenths_max = argument("--tenths").unwrap_or(RESIDENT_TENTHS_MAX);
    let mut random = Random::new(seed_of("soak"));
    let base = resident_bytes();
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds as u64);

    let mut crew = Vec::new();
    for thread in 0..threads {
        let random = Random::new(random.next());
        crew.push(thread::spawn(move || match thread % 2 {
            0 => lives(&DEFAULT, random),
            _ => lives(&COMPACT, random),
        }));
    }
    let faults = Random::new(random.next());
    crew.push(thread::spawn(move || refuse(faults)));
    crew.push(thread::spawn(fork_often));
    crew.push(thread::spawn(purge_often));

    let mut worst = 0.0_f64;
    while Instant::now() < end && crew.iter().all(|thread| !thread.is_finished()) {
        thread::sleep(ROUND.min(end.saturating_duration_since(Instant::now())));
        let (resident, live) = stand_still(base);
        let ratio = resident as f64 / live.max(1) as f64;
        // Until all have filled up, what threads cost at all weighs too much.
        let is_full = live >= threads * LIVE_BYTES / 2;
        if is_full {
            worst = worst.max(ratio);
        }
        println!(
            "{:>5} s  {:>7.1} MiB live  {:>7.1} resident  {ratio:.2}  {} operations, {} refused, {} threads, \
             {} forks, {} faults",
            begin.elapsed().as_secs(),
            mib(live),
            mib(resident),
            SOAK.operations.load(SeqCst),
            SOAK.refused.load(SeqCst),
            SOAK.lives.load(SeqCst),
            SOAK.forks.load(SeqCst),
            SOAK.faults.load(SeqCst),
        );
    }
    SOAK.ends.store(true, SeqCst);
    let failed = crew
        .into_iter()
        .map(thread::JoinHandle::join)
        .filter(Result::is_err);
    let failed = failed.count();
    fault::reset();
    free_commons(&DEFAULT);
    free_commons(&COMPACT);
    purge_all();
    let held = Default::stats().held_bytes + Compact::stats().held_bytes;
    let lost = [Default::stats(), Compact::stats()]
        .map(|stats| stats.allocations - stats.frees)
        .iter()
        .sum::<u64>();
    println!(
        "{failed} threads failed, {lost} blocks lost, {held} bytes held, at most {worst:.2} resident for each live byte"
    );
    let is_well =
        failed == 0 && lost == 0 && held == 0 && worst * 10.0 <= tenths_max as f64 && worst > 0.0;
    ExitCode::from(u8::from(!is_well))
}
