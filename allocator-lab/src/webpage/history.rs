//! What becomes of memory while a program's blocks come and go, on the real allocator with the default's
//! classes.
//!
//! A trace is done step by step, all threads' steps by one (`traced`). A profile knows no order. So a run's live set is built up, and most
//! of it freed again, in an order that is drawn, from a seed: blocks come in a random order until all
//! that were live at the peak are there, then random ones go; on the way further ones come and go as the
//! profile's allocations have them. Memory is what the kernel says is behind the addresses. Nothing is
//! given back to it meanwhile, so that a picture does not hang on the clock.

use crate::fit::histogram::Histogram;
use allocator_core::derive_allocator;
use fastrand::Rng;
use serde::Serialize;
use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ptr::NonNull;

/// The default, but that the clock and huge pages have no part in it.
#[derive_allocator(purge = never, thp = never)]
pub(super) struct Replayed;

/// Moments at which memory is looked at.
pub const MOMENTS: usize = 96;

/// The moment of the peak, where the order is drawn.
pub const PEAK: usize = 60;

/// The part of the blocks that is still live at the end.
pub const LEFT: f64 = 0.25;

/// Most blocks that are live at once, and most bytes: of larger runs only a part is replayed.
const MOST: (f64, f64) = (500_000.0, 40e6);

/// Most blocks that come and go between two moments, beside the rest.
const MOST_CHURN: f64 = 2000.0;

/// Bytes of a slice of the arena, and of a chunk, at whose start the headers of its pages are.
pub const SLICE_BYTES: usize = 64 << 10;
const CHUNK_BYTES: usize = 32 << 20;

/// Bytes of a page of the OS.
const OS_PAGE_BYTES: usize = 4096;

/// Memory at one moment, in bytes: together all that is behind the arena's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Bands {
    /// What was asked for.
    pub requested: f64,
    /// What blocks are larger than what was asked for.
    pub rounding: f64,
    /// What no block covers at the ends of pages.
    pub tails: f64,
    /// Free blocks between live ones.
    pub free: f64,
    /// Slices without a live block.
    pub kept: f64,
    /// The headers of the pages.
    pub headers: f64,
}

/// A slice that has live blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    /// Its place: chunk by chunk in the order of first sight, by address in each.
    pub place: usize,
    /// Bytes of its blocks.
    pub class: usize,
    /// The part of it that is in live blocks, 0 to 1.
    pub used: f64,
}

/// In what order the blocks came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// In one that is drawn.
    Drawn,
    /// In that of the program.
    Traced,
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// In what order.
    pub order: Order,
    /// The moment of the peak, counted from 1.
    pub peak: usize,
    /// The part of the run's blocks that was replayed, 0 to 1.
    pub part: f64,
    /// Memory at each moment.
    pub moments: Vec<Bands>,
    /// The slices at the peak, and at the end.
    pub maps: [Vec<Slice>; 2],
}

/// A kind of request.
struct Kind {
    layout: Layout,
    /// Bytes of the class that serves it.
    block_bytes: usize,
    /// How many are live at the peak.
    peak: f64,
    /// How many are allocated beside.
    churn: f64,
    live: Vec<NonNull<u8>>,
}

impl History {
    /// Replays a run, and tells `watch` how much of it is done. `None` where nothing was live.
    pub fn of(run: &Histogram, seed: u64, watch: impl Fn(f64)) -> Option<Self> {
        let mut kinds = kinds(run);
        let (blocks, bytes) = kinds.iter().fold((0.0, 0.0), |sum, kind| {
            (
                sum.0 + kind.peak,
                sum.1 + kind.peak * kind.block_bytes as f64,
            )
        });
        let part = (MOST.0 / blocks).min(MOST.1 / bytes).min(1.0);
        for kind in &mut kinds {
            kind.peak = (kind.peak * part).round();
        }
        if kinds.iter().all(|kind| kind.peak == 0.0) {
            return None;
        }
        let mut rng = Rng::with_seed(seed);
        let mut seen = Seen::default();
        let mut history = Self {
            order: Order::Drawn,
            peak: PEAK,
            part,
            moments: Vec::with_capacity(MOMENTS),
            maps: [Vec::new(), Vec::new()],
        };
        for moment in 1..=MOMENTS {
            watch(moment as f64 / MOMENTS as f64);
            step(&mut kinds, moment, &mut rng, &mut seen)?;
            let asked = |kind: &Kind| kind.live.len() * kind.layout.size();
            let taken = |kind: &Kind| kind.live.len() * kind.block_bytes;
            let (asked, taken) = (kinds.iter().map(asked), kinds.iter().map(taken));
            history.moments.push(seen.look(asked.sum(), taken.sum()));
            match moment {
                PEAK => history.maps[0] = seen.map(),
                MOMENTS => history.maps[1] = seen.map(),
                _ => {}
            }
        }
        for kind in &mut kinds {
            while kind.free_one(&mut rng, &mut seen) {}
        }
        Some(history)
    }
}

fn kinds(run: &Histogram) -> Vec<Kind> {
    let most = Replayed::CONFIG.max_class_bytes();
    let kinds = run.buckets(most).filter_map(|(place, bucket)| {
        let size = match bucket.blocks.peak > 0.0 {
            true => (bucket.bytes.peak / bucket.blocks.peak).round() as usize,
            false => place.size,
        };
        let layout = Layout::from_size_align(size.max(1), place.align).ok()?;
        let block_bytes = Replayed.usable_size(layout);
        (block_bytes <= most).then(|| Kind {
            layout,
            block_bytes,
            peak: bucket.blocks.peak,
            churn: (bucket.blocks.flow - bucket.blocks.peak).max(0.0),
            live: Vec::new(),
        })
    });
    kinds.collect()
}

/// Goes on to a moment. `None` when memory ran out.
fn step(kinds: &mut [Kind], moment: usize, rng: &mut Rng, seen: &mut Seen) -> Option<()> {
    let part = if moment <= PEAK {
        moment as f64 / PEAK as f64
    } else {
        1.0 - (1.0 - LEFT) * (moment - PEAK) as f64 / (MOMENTS - PEAK) as f64
    };
    let mut order: Vec<usize> = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let target = (kind.peak * part).round() as usize;
        order.extend(std::iter::repeat_n(index, target.abs_diff(kind.live.len())));
    }
    rng.shuffle(&mut order);
    let mut churn = Churn::of(kinds, order.len());
    for (done, index) in order.iter().enumerate() {
        match moment <= PEAK {
            true => kinds[*index].allocate_one(seen)?,
            false => {
                kinds[*index].free_one(rng, seen);
            }
        }
        while churn.is_due(done) {
            let kind = &mut kinds[churn.kind(rng)];
            kind.allocate_one(seen)?;
            kind.free_one(rng, seen);
        }
    }
    Some(())
}

/// What comes and goes between two moments.
struct Churn {
    /// Allocations of each kind and of those before it.
    up_to: Vec<f64>,
    /// Other acts between two of these.
    every: f64,
    next: f64,
    left: f64,
}

impl Churn {
    fn of(kinds: &[Kind], acts: usize) -> Self {
        let sums = kinds.iter().scan(0.0, |sum, kind| {
            *sum += kind.churn;
            Some(*sum)
        });
        let up_to: Vec<f64> = sums.collect();
        let all = up_to.last().copied().unwrap_or(0.0);
        let left = MOST_CHURN.min(all / MOMENTS as f64).floor();
        let every = acts as f64 / left.max(1.0);
        Self {
            up_to,
            every,
            next: every,
            left,
        }
    }

    fn is_due(&mut self, done: usize) -> bool {
        let is_due = self.left > 0.0 && done as f64 >= self.next;
        if is_due {
            self.left -= 1.0;
            self.next += self.every;
        }
        is_due
    }

    /// One by chance, as often as it is allocated.
    fn kind(&self, rng: &mut Rng) -> usize {
        let at = rng.f64() * self.up_to.last().copied().unwrap_or(0.0);
        let index = self.up_to.partition_point(|sum| *sum <= at);
        index.min(self.up_to.len() - 1)
    }
}

impl Kind {
    fn allocate_one(&mut self, seen: &mut Seen) -> Option<()> {
        let block = Replayed.allocate(self.layout)?;
        // SAFETY: the block has `layout.size()` bytes, and nobody else knows of it.
        unsafe { block.write_bytes(1, self.layout.size()) };
        seen.add(block, self.block_bytes);
        self.live.push(block);
        Some(())
    }

    /// Frees a random one; whether there was one.
    fn free_one(&mut self, rng: &mut Rng, seen: &mut Seen) -> bool {
        if self.live.is_empty() {
            return false;
        }
        let block = self.live.swap_remove(rng.usize(..self.live.len()));
        seen.remove(block, self.block_bytes);
        // SAFETY: it was allocated with this layout, and is no longer among the live ones.
        unsafe { Replayed.deallocate(block, self.layout) };
        true
    }
}

/// What is seen of the arena from outside: the slices that blocks ever lay in.
#[derive(Default)]
pub(super) struct Seen {
    /// Chunks by first sight: where the kernel puts them is not for the picture to tell.
    chunks: Vec<usize>,
    /// By address.
    slices: BTreeMap<usize, Lived>,
}

/// What lives in a slice.
#[derive(Default)]
struct Lived {
    /// Bytes of the class that was seen there last.
    class: usize,
    /// Bytes of live blocks.
    used: usize,
}

impl Seen {
    pub(super) fn add(&mut self, block: NonNull<u8>, bytes: usize) {
        for (slice, part) in parts(block.addr().get(), bytes) {
            let chunk = slice & !(CHUNK_BYTES - 1);
            if !self.chunks.contains(&chunk) {
                self.chunks.push(chunk);
            }
            let lived = self.slices.entry(slice).or_default();
            lived.class = bytes;
            lived.used += part;
        }
    }

    pub(super) fn remove(&mut self, block: NonNull<u8>, bytes: usize) {
        for (slice, part) in parts(block.addr().get(), bytes) {
            if let Some(lived) = self.slices.get_mut(&slice) {
                lived.used -= part;
            }
        }
    }

    /// Memory now, of blocks for which so much was asked and that take so much.
    pub(super) fn look(&self, asked: usize, taken: usize) -> Bands {
        let mut bands = Bands {
            requested: asked as f64,
            rounding: (taken - asked) as f64,
            ..Bands::default()
        };
        for (slice, Lived { class, used }) in &self.slices {
            let backed = backed_bytes(*slice, SLICE_BYTES);
            if *used == 0 {
                bands.kept += backed as f64;
                continue;
            }
            // Of a page of several slices, nobody outside knows where it ends: its tail counts as free.
            let is_page = Replayed::CONFIG.page_bytes_for(*class) == SLICE_BYTES;
            let blocks_end = SLICE_BYTES / class * class;
            let tail = match is_page {
                true => blocks_end.next_multiple_of(OS_PAGE_BYTES) - blocks_end,
                false => 0,
            };
            let last = slice + blocks_end.next_multiple_of(OS_PAGE_BYTES) - OS_PAGE_BYTES;
            let tail = tail.min(backed_bytes(last, OS_PAGE_BYTES));
            bands.tails += tail as f64;
            bands.free += backed.saturating_sub(*used + tail) as f64;
        }
        for chunk in &self.chunks {
            bands.headers += backed_bytes(*chunk, SLICE_BYTES) as f64;
        }
        bands
    }

    pub(super) fn map(&self) -> Vec<Slice> {
        let chunk_slices = CHUNK_BYTES / SLICE_BYTES;
        let place = |slice: usize| {
            let chunk = slice & !(CHUNK_BYTES - 1);
            let at = self.chunks.iter().position(|it| *it == chunk);
            at.unwrap_or(0) * chunk_slices + (slice - chunk) / SLICE_BYTES
        };
        let live = self.slices.iter().filter(|(_, lived)| lived.used > 0);
        let slices = live.map(|(slice, lived)| Slice {
            place: place(*slice),
            class: lived.class,
            used: lived.used as f64 / SLICE_BYTES as f64,
        });
        let mut slices: Vec<Slice> = slices.collect();
        slices.sort_by_key(|slice| slice.place);
        slices
    }
}

/// The slices that a block lies in, and how many of its bytes each holds.
fn parts(start: usize, bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    let end = start + bytes;
    let first = start & !(SLICE_BYTES - 1);
    let slices = (first..end).step_by(SLICE_BYTES);
    slices.map(move |slice| {
        let part = end.min(slice + SLICE_BYTES) - start.max(slice);
        (slice, part)
    })
}

/// Bytes of memory behind addresses; none where the kernel does not tell.
fn backed_bytes(from: usize, bytes: usize) -> usize {
    let mut pages = [0_u8; SLICE_BYTES / OS_PAGE_BYTES];
    let count = bytes / OS_PAGE_BYTES;
    // SAFETY:
    // - `pages` has a byte for each of the `count` pages of the OS that are asked for;
    // - the kernel looks at the addresses, and touches nothing there.
    let failed = unsafe {
        libc::mincore(
            std::ptr::without_provenance_mut(from),
            bytes,
            pages.as_mut_ptr().cast(),
        )
    };
    if failed != 0 {
        return 0;
    }
    let backed = pages[..count].iter().filter(|page| **page & 1 == 1);
    backed.count() * OS_PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_live_is_no_history() {
        assert!(History::of(&Histogram::default(), 1, |_| {}).is_none());
    }
}
