//! Memory that was freed goes back to the OS, whoever freed it.

use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use allocator_core::os::{Call, fault};

use super::figures::{mib, report, resident_bytes};
use super::live::{Chain, Live, some_blocks, some_size};
use crate::random::Random;

/// Longer than the purge delay of 10 ms, and than a tick of a coarse clock.
const PURGE_DELAYS: Duration = Duration::from_millis(40);

/// A thread that waits, and then does one operation off the fast path.
struct Other {
    begin: Arc<Barrier>,
    end: Arc<Barrier>,
}

impl Other {
    fn start() -> Self {
        let (begin, end) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let other = Self {
            begin: begin.clone(),
            end: end.clone(),
        };
        thread::spawn(move || {
            begin.wait();
            // A class that this thread has not used: its bin is empty.
            let block = Live::new(3333).expect("there is memory");
            end.wait();
            block.free();
        });
        other
    }

    fn operate(&self) {
        self.begin.wait();
        self.end.wait();
    }
}

/// Chains of blocks on their way from thread to thread; touches the allocator at the start only.
struct Belt {
    chains: Mutex<VecDeque<Chain>>,
    capacity: usize,
    moved: Condvar,
}

impl Belt {
    fn new(capacity: usize) -> Self {
        Self {
            chains: Mutex::new(VecDeque::with_capacity(capacity)),
            capacity,
            moved: Condvar::new(),
        }
    }

    /// Waits for room.
    fn put(&self, chain: Chain) {
        let chains = self.chains.lock().unwrap();
        let mut chains = self
            .moved
            .wait_while(chains, |chains| chains.len() == self.capacity)
            .unwrap();
        chains.push_back(chain);
        self.moved.notify_all();
    }

    /// Waits until the belt is full, then calls `look`.
    fn when_full(&self, look: impl FnOnce(&VecDeque<Chain>)) {
        let chains = self.chains.lock().unwrap();
        let full = self
            .moved
            .wait_while(chains, |chains| chains.len() < self.capacity)
            .unwrap();
        look(&full);
    }

    /// Does not wait.
    fn take(&self) -> Option<Chain> {
        let chain = self.chains.lock().unwrap().pop_front();
        self.moved.notify_all();
        chain
    }
}

/// Eight producers of blocks of up to so many bytes, one consumer that frees and never allocates: how many per cent
/// of so many live MiB are resident, at the worst of many looks, is so many at most.
pub fn producers(arguments: &[String]) {
    const PRODUCERS: usize = 8;
    /// Times that the live blocks are replaced.
    const ROUNDS: usize = 5;
    const CHAIN_BYTES: usize = 16 << 10;
    let max: usize = arguments[0].parse().expect("a number");
    let live_bytes = arguments[1].parse::<usize>().expect("a number") << 20;
    let most_percent: f64 = arguments[2].parse().expect("a number");
    let before = resident_bytes();
    let capacity = live_bytes / CHAIN_BYTES;
    let belt = Arc::new(Belt::new(capacity));
    for seed in 0..PRODUCERS as u64 {
        let belt = belt.clone();
        thread::spawn(move || {
            let mut random = Random::new(seed);
            loop {
                let mut chain = Chain::default();
                while chain.bytes() < CHAIN_BYTES {
                    assert!(chain.push(some_size(&mut random, max)), "there is memory");
                }
                belt.put(chain);
            }
        });
    }
    let ratio = thread::spawn(move || {
        let mut most = 0.0_f64;
        for _ in 0..ROUNDS * 4 {
            belt.when_full(|chains| {
                let live: usize = chains.iter().map(Chain::bytes).sum();
                most = most.max((resident_bytes() - before) as f64 / live as f64);
            });
            for _ in 0..capacity / 4 {
                belt.take().expect("the belt was full").free();
            }
        }
        most
    })
    .join()
    .expect("the consumer ends");
    report("resident_to_live", ratio);
    assert!(ratio * 100.0 <= most_percent, "{ratio}");
}

/// 200 MB freed in random order by whom the argument says, then idle for the purge delay, then one
/// operation of another thread: at most as many MiB are kept as the last argument says.
pub fn freed(arguments: &[String]) {
    const BYTES: usize = 200_000_000;
    let who = arguments[0].as_str();
    let max: usize = arguments[1].parse().expect("a number");
    let seed: u64 = arguments[2].parse().expect("a number");
    let most_mib: f64 = arguments[3].parse().expect("a number");
    let other = Other::start();
    // What the threads of this scenario hand to each other; full of room before the first look.
    let (to_freer, freer_inbox) = channel::<Vec<Live>>();
    let freer_done = Arc::new(Barrier::new(2));
    let freer = {
        let freer_done = freer_done.clone();
        thread::spawn(move || {
            // Has a heap of its own, unless it only ever frees.
            let Ok(blocks) = freer_inbox.recv() else {
                return;
            };
            free_all(blocks);
            freer_done.wait();
            // Blocked until the process ends.
            let _ = freer_inbox.recv();
        })
    };
    let before = resident_bytes();
    let (owner_ready, mine) = channel::<Vec<Live>>();
    let owner_may_end = Arc::new(Mutex::new(()));
    let hold = owner_may_end.lock().unwrap();
    let owner = {
        let (owner_may_end, who) = (owner_may_end.clone(), who.to_owned());
        thread::spawn(move || {
            let mut random = Random::new(seed);
            let mut blocks = some_blocks(&mut random, BYTES, max);
            random.shuffle(&mut blocks);
            let theirs = match who.as_str() {
                "owner" => Vec::new(),
                "both" => blocks.split_off(blocks.len() / 2),
                _ => std::mem::take(&mut blocks),
            };
            // The vectors themselves are huge blocks; they count as freed with the rest.
            free_all(blocks);
            owner_ready.send(theirs).expect("the main thread is there");
            if who != "ended" {
                // Idle: blocked until the process ends.
                drop(owner_may_end.lock());
            }
        })
    };
    let theirs = mine.recv().expect("the owner's blocks");
    if who == "ended" {
        owner.join().expect("the owner ends");
    }
    let most = resident_bytes().saturating_sub(before);
    if theirs.is_empty() {
        drop(theirs);
    } else {
        to_freer.send(theirs).expect("the freer is there");
        freer_done.wait();
    }
    thread::sleep(PURGE_DELAYS);
    let freed = resident_bytes().saturating_sub(before);
    other.operate();
    let kept = resident_bytes().saturating_sub(before);
    report("most_mib", mib(most));
    report("before_the_operation_mib", mib(freed));
    report("kept_mib", mib(kept));
    assert!(mib(kept) <= most_mib, "{} MiB kept", mib(kept));
    drop(hold);
    drop(freer);
}

fn free_all(blocks: Vec<Live>) {
    blocks.into_iter().for_each(Live::free);
}

/// 40 MB that one thread allocated and another frees go back within the purge delay, but for as many MiB as the
/// argument says.
pub fn freed_by_another(arguments: &[String]) {
    let most_mib: f64 = arguments[0].parse().expect("a number");
    let other = Other::start();
    let before = resident_bytes();
    let mut random = Random::new(5);
    let mut blocks = some_blocks(&mut random, 40_000_000, 1024);
    random.shuffle(&mut blocks);
    let most = resident_bytes().saturating_sub(before);
    thread::spawn(move || free_all(blocks))
        .join()
        .expect("the thread ends");
    thread::sleep(PURGE_DELAYS);
    other.operate();
    let kept = resident_bytes().saturating_sub(before);
    report("most_mib", mib(most));
    report("kept_mib", mib(kept));
    assert!(mib(most) > 35.0, "{most} bytes were there");
    assert!(mib(kept) <= most_mib, "{} MiB kept", mib(kept));
}

/// Much is freed again and again, with what stays in between: how often the OS is called about it.
/// Counts the calls of this program's declared types; there are none of one that is loaded.
pub fn purge_storm(_: &[String]) {
    const TIME: Duration = Duration::from_millis(1000);
    /// The unit in which memory goes back.
    const SLICE_BYTES: u64 = 64 << 10;
    let calls = || fault::calls(Call::Purge) + fault::calls(Call::Advise);
    let mut most = 0.0_f64;
    // Block sizes, and the time between two rounds: none, less than the purge delay, and more.
    for (size, pause_ms) in [
        (64 << 10, 0),
        (64 << 10, 12),
        (64 << 10, 50),
        (1 << 20, 3),
        (4000, 12),
    ] {
        let (start, before) = (Instant::now(), calls());
        let mut freed_bytes = 0_u64;
        let mut kept = Vec::new();
        while start.elapsed() < TIME {
            let blocks = (0..(24 << 20) / size).map(|_| Live::new(size).expect("there is memory"));
            // Every second one stays for a round, so that what is free is no long run.
            let (stay, go): (Vec<_>, Vec<_>) =
                blocks.enumerate().partition(|(index, _)| index % 2 == 0);
            let gone = std::mem::replace(&mut kept, stay).into_iter().chain(go);
            for (_, block) in gone {
                freed_bytes += size as u64;
                block.free();
            }
            thread::sleep(Duration::from_millis(pause_ms));
        }
        kept.into_iter().for_each(|(_, block)| block.free());
        let calls = calls() - before;
        let a_second = calls as f64 / start.elapsed().as_secs_f64();
        let storm = format!("calls a second with {size} bytes and {pause_ms} ms");
        report(&storm, a_second);
        assert!(calls <= freed_bytes / SLICE_BYTES, "{calls} {storm}");
        most = most.max(a_second);
    }
    // A busy machine gets through few rounds.
    assert!(most >= 5.0, "{most}: nothing was purged");
    // Without a call for many ranges there are as many calls as ranges: some 5000.
    if purges_ranges() {
        assert!(most <= 200.0, "{most} calls a second");
    }
}

/// Whether the OS has a call that purges many ranges of the process itself.
fn purges_ranges() -> bool {
    const PIDFD_SELF_THREAD_GROUP: libc::c_int = -10_001;
    let no_ranges = std::ptr::null::<libc::iovec>();
    // SAFETY: no range is given.
    let done = unsafe {
        libc::syscall(
            libc::SYS_process_madvise,
            PIDFD_SELF_THREAD_GROUP,
            no_ranges,
            0,
            libc::MADV_DONTNEED,
            0,
        )
    };
    done == 0
}
