//! What a thread does between its start and its end, and the blocks that it does it with: each says at its
//! start how long it is, and is filled whole.

use std::alloc::Layout;
use std::fmt::{self, Display, Formatter};
use std::marker::PhantomData;
use std::ops::AddAssign;
use std::thread;
use std::time::Duration;
use std::{mem, ptr};

use fastrand::Rng;

use crate::exchange::Exchange;
use crate::faces::Face;

/// Steps of a life, at most.
const STEPS_MAX: usize = 3000;
/// Blocks that a thread keeps for itself, at most.
const KEPT_MAX: usize = 400;
/// Blocks of one size that are left for others together, and taken together.
const ROW: usize = 100;
/// How often a block's log2 of its alignment is in the word at its start, above the size.
const ALIGN_SHIFT: u32 = 48;

/// What was done.
#[derive(Default)]
pub struct Done {
    allocations: u64,
    /// Blocks that another thread had left.
    taken: u64,
    lives: u64,
}

impl AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.taken += other.taken;
        self.lives += other.lives;
    }
}

impl Display for Done {
    fn fmt(&self, out: &mut Formatter) -> fmt::Result {
        let Self {
            allocations,
            taken,
            lives,
        } = self;
        write!(
            out,
            "{allocations} allocations, {taken} blocks freed by others, {lives} threads"
        )
    }
}

/// A live block of `F`, which is this thread's.
struct Block<F>(*mut u8, PhantomData<F>);

impl<F: Face> Block<F> {
    fn new(size: usize, align: usize, is_zeroed: bool) -> Self {
        let layout = Layout::from_size_align(size, align).expect("a layout");
        let start = F::allocate(layout, is_zeroed);
        assert!(!start.is_null(), "no memory for {layout:?}");
        if is_zeroed {
            let places = [0, size / 2, size - 1];
            // SAFETY: in bounds, and zeroed.
            let is_zero = |&place: &usize| unsafe { start.add(place).read() } == 0;
            assert!(places.iter().all(is_zero), "not zero: {layout:?}");
        }
        let block = Self(start, PhantomData);
        block.fill(layout);
        block
    }

    /// Some block, mostly a small one.
    fn some(random: &mut Rng) -> Self {
        let align = if random.usize(..50) == 0 {
            1 << random.usize(..13)
        } else {
            8
        };
        Self::new(some_size(random), align.max(8), random.usize(..8) == 0)
    }

    /// Fills the block; its first word says what it is.
    fn fill(&self, layout: Layout) {
        let word = layout.size() | (layout.align().ilog2() as usize) << ALIGN_SHIFT;
        // SAFETY: the block is this thread's and as long.
        unsafe {
            self.0.write_bytes(word as u8, layout.size());
            self.0.cast::<usize>().write(word);
        }
    }

    /// What it was asked for as, after a look at what it was filled with.
    fn layout(&self) -> Layout {
        // SAFETY: the block is this thread's, and filled.
        let word = unsafe { self.0.cast::<usize>().read() };
        let (size, align) = (word & ((1 << ALIGN_SHIFT) - 1), 1 << (word >> ALIGN_SHIFT));
        let layout = Layout::from_size_align(size, align).expect("what was written");
        for place in [8, size / 2, size - 1] {
            // SAFETY: as above.
            let found = unsafe { self.0.add(place).read() };
            assert!(
                place < 8 || found == word as u8,
                "{layout:?}: {found} at {place}"
            );
        }
        layout
    }

    /// The block with another size.
    fn resize(&mut self, size: usize) {
        let layout = self.layout();
        if layout.align() != 8 {
            return;
        }
        // SAFETY: this thread's, of this layout.
        let start = unsafe { F::resize(self.0, layout, size) };
        assert!(!start.is_null(), "no memory for {size} bytes");
        self.0 = start;
        self.fill(Layout::from_size_align(size, 8).expect("a layout"));
    }

    fn free(self) {
        // SAFETY: this thread's, of this layout.
        unsafe { F::free(self.0, self.layout()) };
    }

    /// Leaves the block to another thread; frees it where there is no room.
    fn leave(self, place: usize) {
        if !F::exchange().put(place, self.0.expose_provenance()) {
            self.free();
        }
    }

    /// A block that another thread left.
    fn taken(place: usize) -> Option<Self> {
        let start = F::exchange().take(place)?;
        Some(Self(ptr::with_exposed_provenance_mut(start), PhantomData))
    }
}

/// Mostly small, sometimes a page's worth, rarely whole slices or a mapping.
fn some_size(random: &mut Rng) -> usize {
    match random.usize(..4000) {
        0 => (16 << 20) + random.usize(..1 << 20),
        1..10 => 16 + random.usize(..1 << 20),
        10..100 => 16 + random.usize(..64 << 10),
        100..500 => 16 + random.usize(..4 << 10),
        _ => 16 + random.usize(..512),
    }
}

/// Blocks of one size, left to others: their pages go on without them.
pub fn leave_a_row<F: Face>(random: &mut Rng, done: &mut Done) {
    let size = some_size(random).min(8 << 10);
    let first = random.usize(..Exchange::PLACES);
    for place in first..first + ROW {
        Block::<F>::new(size, 8, false).leave(place);
    }
    done.allocations += ROW as u64;
}

/// A thread's life. At its end there are blocks of its pages with others, or nobody has them yet.
pub fn live<F: Face>(mut random: Rng) -> Done {
    let mut done = Done {
        lives: 1,
        ..Done::default()
    };
    let mut kept: Vec<Block<F>> = Vec::new();
    for _ in 0..random.usize(..STEPS_MAX) {
        let place = random.usize(..Exchange::PLACES);
        let index = random.usize(..kept.len().max(1));
        match random.usize(..200) {
            0..100 => {
                kept.push(Block::some(&mut random));
                done.allocations += 1;
            }
            100..140 if !kept.is_empty() => kept.swap_remove(index).free(),
            140..160 if !kept.is_empty() => kept.swap_remove(index).leave(place),
            160..190 => {
                if let Some(block) = Block::<F>::taken(place) {
                    block.free();
                    done.taken += 1;
                }
            }
            190..194 if !kept.is_empty() => kept[index].resize(some_size(&mut random)),
            194 => leave_a_row::<F>(&mut random, &mut done),
            195 | 196 => {
                for block in (place..place + ROW).filter_map(Block::<F>::taken) {
                    block.free();
                    done.taken += 1;
                }
            }
            // Away: others may visit.
            197 => thread::sleep(Duration::from_micros(500)),
            _ => {}
        }
        if kept.len() > KEPT_MAX {
            mem::take(&mut kept).into_iter().for_each(Block::free);
        }
    }
    for block in kept {
        block.leave(random.usize(..Exchange::PLACES));
    }
    done
}
