//! What becomes of memory while a program does what its trace says, block by block.

use super::history::{History, MOMENTS, Order, Replayed, Seen};
use crate::trace::{Act, Event, Trace};
use std::alloc::Layout;
use std::ptr::NonNull;

impl History {
    /// Does the steps of a trace, and tells `watch` how much of them is done. Blocks above the largest class are
    /// left out. `None` where nothing else was live, and without memory.
    pub fn of_trace(trace: &Trace, watch: impl Fn(f64)) -> Option<Self> {
        let mut playing = Playing::of(trace.blocks);
        let mut history = Self {
            order: Order::Traced,
            peak: 0,
            part: 1.0,
            moments: Vec::with_capacity(MOMENTS),
            maps: [Vec::new(), Vec::new()],
        };
        let mut most = 0;
        let end = |moment: usize| trace.events.len() * moment / MOMENTS;
        for moment in 1..=MOMENTS {
            watch(moment as f64 / MOMENTS as f64);
            for event in &trace.events[end(moment - 1)..end(moment)] {
                playing.step(event)?;
            }
            if playing.taken > most {
                most = playing.taken;
                history.peak = moment;
                history.maps[0] = playing.seen.map();
            }
            let bands = playing.seen.look(playing.asked, playing.taken);
            history.moments.push(bands);
        }
        history.maps[1] = playing.seen.map();
        (most > 0).then_some(history)
    }
}

/// The blocks that are live, and what they come to.
struct Playing {
    /// By the number that the trace has for them.
    blocks: Vec<Option<Block>>,
    seen: Seen,
    /// Bytes that were asked for.
    asked: usize,
    /// Bytes of the blocks.
    taken: usize,
}

struct Block {
    start: NonNull<u8>,
    layout: Layout,
    /// Bytes of the class.
    bytes: usize,
}

impl Playing {
    fn of(blocks: u32) -> Self {
        Self {
            blocks: (0..blocks).map(|_| None).collect(),
            seen: Seen::default(),
            asked: 0,
            taken: 0,
        }
    }

    /// Does a step. `None` without memory.
    fn step(&mut self, event: &Event) -> Option<()> {
        let number = event.block as usize;
        // A block that is resized is one that comes before the other goes.
        let after = match event.act {
            Act::Free => None,
            Act::Allocate | Act::Resize => self.allocate(event)?,
        };
        let before = std::mem::replace(self.blocks.get_mut(number)?, after);
        if let Some(block) = before {
            self.free(block);
        }
        Some(())
    }

    /// The block that an event asks for; the inner `None` for one above the classes.
    fn allocate(&mut self, event: &Event) -> Option<Option<Block>> {
        let align = 1 << event.align_log;
        let layout = Layout::from_size_align((event.size as usize).max(1), align).ok()?;
        let bytes = Replayed.usable_size(layout);
        if bytes > Replayed::CONFIG.max_class_bytes() {
            return Some(None);
        }
        let start = Replayed.allocate(layout)?;
        // SAFETY: the block has `layout.size()` bytes, and nobody else knows of it.
        unsafe { start.write_bytes(1, layout.size()) };
        self.seen.add(start, bytes);
        self.asked += layout.size();
        self.taken += bytes;
        Some(Some(Block {
            start,
            layout,
            bytes,
        }))
    }

    fn free(&mut self, block: Block) {
        let Block {
            start,
            layout,
            bytes,
        } = block;
        self.seen.remove(start, bytes);
        self.asked -= layout.size();
        self.taken -= bytes;
        // SAFETY: it was allocated with this layout, and is no longer among the live ones.
        unsafe { Replayed.deallocate(start, layout) };
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        for block in std::mem::take(&mut self.blocks).into_iter().flatten() {
            self.free(block);
        }
    }
}
