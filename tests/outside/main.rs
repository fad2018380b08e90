//! A program outside the workspace: six allocators, declared in six ways, each
//! under a load that checks every byte. `../tests/outside.rs` builds and runs it.

#![deny(warnings, missing_docs, unsafe_op_in_unsafe_fn)]

use allocator_core::{Config, derive_allocator};
use std::alloc::{GlobalAlloc, Layout};
use std::collections::BTreeMap;
use std::mem;
use std::sync::Mutex;
use std::thread;

/// Nothing said; serves the program itself, too.
#[derive_allocator]
struct Plain;

/// Another preset.
#[derive_allocator(preset = compact)]
struct Compact;

/// What the program has many of.
#[allow(dead_code)]
struct Record {
    key: [u64; 5],
    value: [u64; 21],
}

/// A list, with a constant expression in it.
#[derive_allocator(
    size_classes = [16, 32, 48, 64, 96, 128, size_of::<Record>(), 384, 512, 1KiB, 2KiB],
    limit = 256MiB,
)]
struct Listed;

/// Classes of a file.
#[derive_allocator(size_classes = file("app.classes"), tls = pointer)]
struct Filed;

/// A series.
#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 16, per_doubling = 2, max = 16KiB),
)]
struct Geometric;

/// Everything said.
#[derive_allocator(
    preset = seed,
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 64KiB),
    small_extend = half_remaining,
    retire_cycles(small = 24, large = 8),
    fast_path(local_first, skip_collect, cache = 32, direct_max = 4KiB, inline = never),
    page = 128KiB,
    purge = now,
    thp = never,
    hardening = off,
    on_corruption = abort,
    stats = histogram,
    limit = 1GiB,
    tls = inline,
    crate = ::allocator_core,
)]
struct Explicit;

#[global_allocator]
static GLOBAL: Plain = Plain;

/// Threads of a load; each frees what others allocated.
const THREADS: u64 = 4;

/// Operations per thread.
const OPERATIONS: usize = 20_000;

/// Live blocks per thread, at most.
const LIVE: usize = 500;

/// A block, all of whose bytes are its cookie.
struct Block {
    start: *mut u8,
    layout: Layout,
    cookie: u8,
}

// SAFETY: whoever has the block is the only one to touch it.
unsafe impl Send for Block {}

impl Block {
    /// Allocates and fills a block; zeroed ones are looked at first.
    fn new(allocator: &impl GlobalAlloc, random: &mut Random) -> Self {
        let layout = random.layout();
        let zeroed = random.below(4) == 0;
        let start = if zeroed {
            // SAFETY: the layout is not empty.
            unsafe { allocator.alloc_zeroed(layout) }
        } else {
            // SAFETY: as above.
            unsafe { allocator.alloc(layout) }
        };
        assert!(
            !start.is_null() && start.addr().is_multiple_of(layout.align()),
            "{layout:?}: {start:?}"
        );
        let mut block = Self {
            start,
            layout,
            cookie: 0,
        };
        if zeroed {
            block.check();
        }
        block.fill(random);
        block
    }

    fn fill(&mut self, random: &mut Random) {
        self.cookie = random.below(256) as u8;
        // SAFETY: the block is this long and ours.
        unsafe { self.start.write_bytes(self.cookie, self.layout.size()) };
    }

    fn check(&self) {
        // SAFETY: the block is this long, ours, and was filled or zeroed.
        let bytes = unsafe { std::slice::from_raw_parts(self.start, self.layout.size()) };
        assert!(
            bytes.iter().all(|byte| *byte == self.cookie),
            "{:?}",
            self.layout
        );
    }

    /// Changes the size and looks whether the bytes are still there.
    fn resize(&mut self, allocator: &impl GlobalAlloc, random: &mut Random) {
        self.check();
        let new = Layout::from_size_align(random.layout().size(), self.layout.align());
        let new = new.expect("sizes are small");
        // SAFETY: the block is of this allocator and layout; the size is not zero.
        self.start = unsafe { allocator.realloc(self.start, self.layout, new.size()) };
        assert!(!self.start.is_null() && self.start.addr().is_multiple_of(new.align()));
        let kept = self.layout.size().min(new.size());
        self.layout = Layout::from_size_align(kept, new.align()).expect("smaller than before");
        self.check();
        self.layout = new;
        self.fill(random);
    }

    fn free(self, allocator: &impl GlobalAlloc) {
        self.check();
        // SAFETY: the block is of this allocator and layout, and not used any more.
        unsafe { allocator.dealloc(self.start, self.layout) };
    }
}

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// Mostly small and lightly aligned, as programs ask.
    fn layout(&mut self) -> Layout {
        let size_bits = [6, 8, 10, 13, 17][self.below(5) as usize];
        let align_bits = [0, 3, 3, 4, 8][self.below(5) as usize];
        let size = 1 + self.below(1 << size_bits);
        Layout::from_size_align(size as usize, 1 << align_bits).expect("sizes are small")
    }
}

/// Runs the load on one allocator.
fn load(allocator: &(impl GlobalAlloc + Sync), config: &Config) {
    let passed_on = Mutex::new(Vec::new());
    thread::scope(|threads| {
        for seed in 1..=THREADS {
            let passed_on = &passed_on;
            threads.spawn(move || {
                let mut random = Random(seed);
                let mut live: Vec<Block> = Vec::new();
                for _ in 0..OPERATIONS {
                    let index = random.below(LIVE as u64) as usize;
                    match (live.get_mut(index), random.below(8)) {
                        (None, _) => live.push(Block::new(allocator, &mut random)),
                        (Some(block), 0..=2) => block.resize(allocator, &mut random),
                        (Some(_), 3..=6) => live.swap_remove(index).free(allocator),
                        (Some(_), _) => {
                            passed_on.lock().unwrap().push(live.swap_remove(index));
                        }
                    }
                    if index == 0 {
                        let from_others = mem::take(&mut *passed_on.lock().unwrap());
                        from_others
                            .into_iter()
                            .for_each(|block| block.free(allocator));
                    }
                }
                live.into_iter().for_each(|block| block.free(allocator));
            });
        }
    });
    let left = passed_on.into_inner().unwrap();
    left.into_iter().for_each(|block| block.free(allocator));
    let operations = THREADS as usize * OPERATIONS;
    println!(
        "{}: {operations} operations, {:016x}",
        config.name,
        config.fingerprint()
    );
}

fn main() {
    // The global one first under what the standard library does with it.
    let words: BTreeMap<String, usize> = (0..10_000).map(|n| (format!("{n:x}"), n)).collect();
    assert!(
        words
            .iter()
            .all(|(word, n)| usize::from_str_radix(word, 16) == Ok(*n))
    );
    load(&GLOBAL, &Plain::CONFIG);
    load(&Compact, &Compact::CONFIG);
    load(&Listed, &Listed::CONFIG);
    load(&Filed, &Filed::CONFIG);
    load(&Geometric, &Geometric::CONFIG);
    load(&Explicit, &Explicit::CONFIG);
    let stats = Explicit::stats();
    assert!(
        stats.allocations > 0 && stats.allocations == stats.frees,
        "{stats:?}"
    );
}
