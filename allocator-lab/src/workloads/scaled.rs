//! Work whose size is a count: of live blocks, of threads, of declared types.
//!
//! All of it is random replacement of mixed sizes, and as much of it for every
//! count, so that what changes is the count alone. Only the replacing is
//! timed: not how the blocks came, nor how they go.

use super::block::{Block, Source};
use super::population::Population;
use super::{Size, mix};
use crate::usage::{self, Elapsed, Stopwatch};
use serde::{Deserialize, Serialize};
use std::mem;
use std::sync::{Barrier, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// Blocks that are replaced in a run, by all threads and types together.
const REPLACEMENTS: u64 = 2_000_000;

/// Blocks that are live in a run of a number of threads, or of types: a few megabytes.
const LIVE_BLOCKS: u64 = 100_000;

/// Operations of a replacement: an allocation and a free.
const OPERATIONS: u64 = 2;

/// A thread passes on one in so many of the blocks that it replaces.
const PASSED_ON: u64 = 8;

/// Blocks that are passed on together.
const BATCH: usize = 16;

/// Blocks from which on a thread that lags behind is waited for: those on their way are few
/// beside those that live.
const INBOX_BLOCKS: usize = 256;

/// Time after which one who waits looks at its own inbox: where all wait for each other, all do.
const PATIENCE: Duration = Duration::from_millis(1);

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time of the replacing, user and system, in microseconds.
    pub cpu_us: u64,
    /// Time of the replacing by the clock, in microseconds.
    pub wall_us: u64,
    /// Allocations and frees in that time.
    pub operations: u64,
    /// By how much the most resident memory grew over what the process began with, in bytes.
    pub rss_bytes: u64,
    /// Bytes asked for and live after the replacing, the lists of blocks included.
    pub live_bytes: u64,
}

/// Replaces blocks among so many live ones; a checksum, and what it took.
#[must_use]
pub fn live_blocks(live: u64, size: Size) -> (u64, Cost) {
    let before = usage::peak_rss_bytes();
    let mut population: Population = Population::new(size.repeat(live), live);
    let stopwatch = Stopwatch::start();
    let times = size.repeat(REPLACEMENTS);
    let checksum = population.replace(times);
    let cost = Cost::new(stopwatch.elapsed(), times, before, population.bytes());
    (mix(checksum, population.check()), cost)
}

/// Replaces blocks in so many threads, which pass some of them on to be freed
/// by the next thread; a checksum, and what it took.
///
/// # Panics
/// When a block does not hold what was written to it.
#[must_use]
pub fn threads(threads: u64, size: Size) -> (u64, Cost) {
    let before = usage::peak_rss_bytes();
    let live = size.repeat(LIVE_BLOCKS) / threads;
    let times = size.repeat(REPLACEMENTS) / threads;
    let inboxes: Vec<Inbox> = (0..threads).map(|_| Inbox::new()).collect();
    let ready = Barrier::new(inboxes.len() + 1);
    thread::scope(|scope| {
        let next = inboxes.iter().cycle().skip(1);
        let lives: Vec<_> = inboxes
            .iter()
            .zip(next)
            .zip(0..)
            .map(|((own, next), seed)| {
                let ready = &ready;
                scope.spawn(move || {
                    let mut population = Population::new(live, seed);
                    ready.wait();
                    (live_among(&mut population, times, own, next), population)
                })
            })
            .collect();
        ready.wait();
        let stopwatch = Stopwatch::start();
        let ended = lives.into_iter().map(|life| life.join());
        let ended: Vec<(u64, Population)> =
            ended.map(|life| life.expect("no block changed")).collect();
        let elapsed = stopwatch.elapsed();
        let bytes = ended.iter().map(|(_, population)| population.bytes()).sum();
        let cost = Cost::new(elapsed, times * threads, before, bytes);
        // Who frees which block is a matter of time, so the order must not matter.
        let checksum = ended.into_iter().fold(0, |sum: u64, (part, population)| {
            sum.wrapping_add(part).wrapping_add(population.check())
        });
        (checksum, cost)
    })
}

/// Replaces blocks, passes some on, and frees what is passed on to this
/// thread; the sum of all that it freed.
fn live_among(population: &mut Population, times: u64, own: &Inbox, next: &Inbox) -> u64 {
    let mut sum: u64 = 0;
    let mut batch = Vec::with_capacity(BATCH);
    for turn in 0..times {
        let block = population.replace_one();
        if turn % PASSED_ON != 0 {
            sum = sum.wrapping_add(block.check());
            continue;
        }
        batch.push(block);
        if batch.len() == BATCH {
            sum = sum.wrapping_add(next.put(&mut batch, own));
        }
    }
    let last = next.put(&mut batch, own);
    sum.wrapping_add(last).wrapping_add(own.close())
}

/// What is passed on to a thread.
struct Inbox {
    /// `None` when the thread has ended.
    blocks: Mutex<Option<Vec<Block>>>,
    emptied: Condvar,
}

impl Inbox {
    fn new() -> Self {
        Self {
            blocks: Mutex::new(Some(Vec::new())),
            emptied: Condvar::new(),
        }
    }

    /// Takes the batch, as soon as there is room. Its sender meanwhile frees what is in its
    /// `own`, and the batch itself if there is nobody left to do so; the sum of what it freed.
    fn put(&self, batch: &mut Vec<Block>, own: &Self) -> u64 {
        let mut sum = own.empty();
        let mut blocks = self.lock();
        loop {
            match &mut *blocks {
                None => return sum.wrapping_add(free(batch)),
                Some(blocks) if blocks.len() < INBOX_BLOCKS => {
                    blocks.append(batch);
                    return sum;
                }
                Some(_) => {
                    drop(self.emptied.wait_timeout(blocks, PATIENCE));
                    sum = sum.wrapping_add(own.empty());
                    blocks = self.lock();
                }
            }
        }
    }

    /// Frees what is in it; the sum of that.
    fn empty(&self) -> u64 {
        let mut blocks = self.lock().as_mut().map(mem::take).unwrap_or_default();
        self.emptied.notify_one();
        free(&mut blocks)
    }

    /// Takes no more, and frees what is in it; the sum of that.
    fn close(&self) -> u64 {
        let mut blocks = self.lock().take().unwrap_or_default();
        self.emptied.notify_one();
        free(&mut blocks)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Block>>> {
        self.blocks.lock().expect("no block changed")
    }
}

/// Checks and frees blocks; the sum of them.
fn free(blocks: &mut Vec<Block>) -> u64 {
    let checks = blocks.drain(..).map(|block| block.check());
    checks.fold(0, u64::wrapping_add)
}

/// Live blocks of one declared type, whichever it is.
pub trait Turn {
    /// Replaces a block; what the old one comes to.
    fn replace(&mut self) -> u64;

    /// Bytes that are live.
    fn bytes(&self) -> u64;
}

impl<S: Source> Turn for Population<S> {
    fn replace(&mut self) -> u64 {
        self.replace_one().check()
    }

    fn bytes(&self) -> u64 {
        self.bytes()
    }
}

/// Makes a type's live blocks: so many, from a seed.
pub type NewTurn = fn(u64, u64) -> Box<dyn Turn>;

/// Live blocks of the type whose allocator `S` is.
#[must_use]
pub fn of_type<S: Source>(live: u64, seed: u64) -> Box<dyn Turn> {
    Box::new(Population::<S>::new(live, seed))
}

/// Replaces blocks of each type by turns; a checksum, and what it took.
#[must_use]
pub fn types(types: &[NewTurn], size: Size) -> (u64, Cost) {
    let before = usage::peak_rss_bytes();
    let count = types.len() as u64;
    let live = size.repeat(LIVE_BLOCKS) / count;
    let turns = types.iter().zip(0..).map(|(new, seed)| new(live, seed));
    let mut turns: Vec<Box<dyn Turn>> = turns.collect();
    let times = size.repeat(REPLACEMENTS) / count;
    let stopwatch = Stopwatch::start();
    let mut checksum = 0;
    for _ in 0..times {
        for turn in &mut turns {
            checksum = mix(checksum, turn.replace());
        }
    }
    let elapsed = stopwatch.elapsed();
    let bytes = turns.iter().map(|turn| turn.bytes()).sum();
    (checksum, Cost::new(elapsed, times * count, before, bytes))
}

impl Cost {
    fn new(elapsed: Elapsed, replacements: u64, rss_before: u64, live_bytes: u64) -> Self {
        Self {
            cpu_us: elapsed.cpu.as_micros() as u64,
            wall_us: elapsed.wall.as_micros() as u64,
            operations: replacements * OPERATIONS,
            rss_bytes: usage::peak_rss_bytes().saturating_sub(rss_before),
            live_bytes,
        }
    }

    /// CPU time of an operation, in nanoseconds.
    #[must_use]
    pub fn cpu_ns(&self) -> f64 {
        self.cpu_us.max(1) as f64 * 1e3 / self.operations as f64
    }

    /// Time by the clock over the number of operations, in nanoseconds.
    #[must_use]
    pub fn wall_ns(&self) -> f64 {
        self.wall_us.max(1) as f64 * 1e3 / self.operations as f64
    }

    /// Bytes resident for each live one.
    #[must_use]
    pub fn rss_ratio(&self) -> f64 {
        self.rss_bytes.max(1) as f64 / self.live_bytes as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::Global;
    use super::*;

    #[test]
    fn the_same_count_is_the_same_work_every_time() {
        let new = [of_type::<Global> as NewTurn; 4];
        let check = |name, work: &dyn Fn() -> (u64, Cost)| {
            let [(first, cost), (second, _)] = [work(), work()];
            assert_eq!(first, second, "{name}");
            assert_eq!(cost.operations, 40_000, "{name}");
        };
        check("live blocks", &|| live_blocks(1000, Size::Quick));
        check("threads", &|| threads(4, Size::Quick));
        check("types", &|| types(&new, Size::Quick));
    }

    #[test]
    fn every_count_does_as_much_work() {
        for count in [1, 2, 32, 64] {
            let (_, cost) = threads(count, Size::Quick);
            let all = OPERATIONS * Size::Quick.repeat(REPLACEMENTS);
            assert!(all - cost.operations < 2 * count * OPERATIONS, "{cost:?}");
        }
    }

    #[test]
    fn what_is_live_is_what_was_asked_for() {
        let (_, cost) = live_blocks(10_000, Size::Quick);
        // A hundredth: 100 blocks of 16 to 512 bytes, and 16 bytes of the list for each.
        assert!((3_200..52_800).contains(&cost.live_bytes), "{cost:?}");
    }
}
