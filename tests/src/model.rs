//! The shadow model: what is live, where, and what is in it.
//!
//! Every live block is filled with a pattern of its own and verified when it is freed, when it
//! is reallocated and when asked for. No two blocks may overlap. Blocks are also allocated and
//! freed by a second thread and by threads that end, one at a time, so that a sequence of
//! operations always does the same.

use std::collections::BTreeMap;

use allocator_core::Stats;

use crate::block::Block;
use crate::crew::Worker;
use crate::random::Random;
use crate::subject::{Subject, layout};

/// Usable bytes of live blocks over which the model allocates no more.
const LIVE_BYTES_MAX: usize = 64 << 20;

/// Which of the live blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The oldest.
    Oldest,
    /// The youngest.
    Youngest,
    /// Any, by this seed.
    Any(u64),
    /// Every n-th.
    Every(usize),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Allocates blocks of one layout.
    Allocate {
        /// Bytes of each.
        size: usize,
        /// Alignment of each.
        align: usize,
        /// How many.
        count: usize,
        /// Whether with `alloc_zeroed`.
        zeroed: bool,
        /// By whom.
        by: By,
    },
    /// Frees blocks.
    Free {
        /// Which.
        pick: Pick,
        /// How many of 16 parts of what is live.
        sixteenths: usize,
        /// By whom.
        by: By,
    },
    /// Reallocates one block.
    Reallocate {
        /// Which.
        pick: Pick,
        /// To how many bytes.
        new_size: usize,
    },
    /// Allocates and frees one block, some times.
    PingPong {
        /// Bytes of the block.
        size: usize,
        /// How often.
        times: usize,
    },
    /// Gives memory back, now: also that of heaps whose threads are elsewhere.
    Purge {
        /// By whom.
        by: By,
    },
    /// Waits until what is delayed has become due.
    Wait,
    /// Verifies every block and the heap's invariants.
    Check,
}

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The model's own thread.
    Us,
    /// Another thread, which lives on.
    Another,
    /// A thread that ends with the step.
    OneThatEnds,
}

/// All blocks are free and all threads have ended: nothing is held that was not before (what a
/// failed sequence leaves is not to fail those that follow it), and nothing was lost.
///
/// # Panics
/// When something stays.
pub fn nothing_stays<A: Subject>(before: &Stats) {
    A::purge();
    A::check();
    let after = A::stats();
    let live = |stats: &Stats| stats.allocations - stats.frees;
    assert_eq!(live(&after), live(before), "live blocks that nobody has");
    assert!(
        after.held_bytes <= before.held_bytes,
        "{} bytes stay",
        after.held_bytes
    );
    for class in 0..A::CHOICES.classes().len() {
        let live = |stats: &Stats| stats.class(class).allocations - stats.class(class).frees;
        assert_eq!(live(&after), live(before), "class {class}");
    }
}

/// The shadow of one type's live blocks.
pub struct Model<A> {
    live: Vec<Block<A>>,
    /// Where live blocks begin and end.
    spans: BTreeMap<usize, usize>,
    live_bytes: usize,
    next_cookie: u64,
    another: Option<Worker>,
    /// Whether memory may be refused.
    may_refuse: bool,
}

impl<A: Subject> std::default::Default for Model<A> {
    fn default() -> Self {
        Self {
            live: Vec::new(),
            spans: BTreeMap::new(),
            live_bytes: 0,
            next_cookie: 0,
            another: None,
            may_refuse: A::CHOICES.limit_bytes.is_some(),
        }
    }
}

impl<A: Subject> Model<A> {
    /// A model of a process whose OS may refuse anything.
    #[must_use]
    pub fn under_faults() -> Self {
        Self {
            may_refuse: true,
            ..Self::default()
        }
    }

    /// Does one step on the allocator and on the shadow.
    ///
    /// # Panics
    /// When they differ.
    pub fn step(&mut self, step: &Step) {
        match *step {
            Step::Allocate {
                size,
                align,
                count,
                zeroed,
                by,
            } => self.allocate(size, align, count, zeroed, by),
            Step::Free {
                pick,
                sixteenths,
                by,
            } => {
                let count = (self.live.len() * sixteenths).div_ceil(16);
                let picked = self.pick(pick, count);
                self.free(picked, by);
            }
            Step::Reallocate { pick, new_size } => self.reallocate(pick, new_size),
            Step::PingPong { size, times } => self.ping_pong(size, times),
            Step::Purge { by } => self.on(by, A::purge),
            Step::Wait => std::thread::sleep(std::time::Duration::from_millis(6)),
            Step::Check => self.check(),
        }
    }

    /// Verifies every block and the invariants.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check(&self) {
        self.live.iter().for_each(Block::verify);
        A::check();
        if let Some(another) = &self.another {
            another.run(A::check);
        }
    }

    /// Takes a block out of the shadow; none when none is live.
    pub fn take(&mut self, pick: Pick) -> Option<Block<A>> {
        let pick = match pick {
            Pick::Every(_) => Pick::Oldest,
            one => one,
        };
        self.pick(pick, 1).pop()
    }

    /// Whether a live block has some of the bytes from `start` to `end`; one of no bytes has its first.
    #[must_use]
    pub fn is_in_use(&self, (start, end): (usize, usize)) -> bool {
        let before = self.spans.range(..end).next_back();
        before.is_some_and(|(&other, &other_end)| other_end.max(other + 1) > start)
    }

    /// Frees everything and ends the other thread.
    ///
    /// # Panics
    /// When a block was written to.
    pub fn end(mut self) {
        self.check();
        let all = self.pick(Pick::Oldest, self.live.len());
        self.free(all, By::Us);
        A::check();
    }

    fn allocate(&mut self, size: usize, align: usize, count: usize, zeroed: bool, by: By) {
        let room = LIVE_BYTES_MAX.saturating_sub(self.live_bytes);
        // A mapping at a strict alignment costs its padding for a moment.
        let bytes = A::usable_size(layout(size, align)).max(align);
        let count = count.min(room / bytes);
        let first_cookie = self.next_cookie;
        self.next_cookie += count as u64;
        let blocks = self.on(by, move || {
            (first_cookie..first_cookie + count as u64)
                .map_while(|cookie| Block::<A>::new(size, align, zeroed, cookie))
                .collect::<Vec<_>>()
        });
        assert!(
            blocks.len() == count || self.may_refuse,
            "no memory without a limit: {size} bytes at {align}"
        );
        blocks.into_iter().for_each(|block| self.add(block));
    }

    fn reallocate(&mut self, pick: Pick, new_size: usize) {
        if self.live_bytes + new_size > LIVE_BYTES_MAX {
            return;
        }
        for mut block in self.pick(pick, 1) {
            let before = block.start();
            let done = block.reallocate(new_size);
            assert!(
                done || self.may_refuse,
                "no memory without a limit: {before:p} to {new_size} bytes"
            );
            self.add(block);
        }
    }

    fn ping_pong(&mut self, size: usize, times: usize) {
        for _ in 0..times {
            let Some(block) = Block::<A>::new(size, 1, false, self.next_cookie) else {
                assert!(self.may_refuse, "no memory without a limit");
                return;
            };
            self.next_cookie += 1;
            self.add(block);
            let picked = self.pick(Pick::Youngest, 1);
            self.free(picked, By::Us);
        }
    }

    /// Has a thread do something.
    pub fn on<T: Send + 'static>(
        &mut self,
        by: By,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match by {
            By::Us => task(),
            By::Another => self.another.get_or_insert_with(Worker::start).run(task),
            By::OneThatEnds => Worker::start().run(task),
        }
    }

    fn add(&mut self, block: Block<A>) {
        let (start, end) = block.span();
        let before = self.spans.range(..end).next_back();
        if let Some((&other_start, &other_end)) = before {
            assert!(
                other_end <= start,
                "{start:#x}..{end:#x} overlaps {other_start:#x}..{other_end:#x}"
            );
        }
        self.spans.insert(start, end);
        self.live_bytes += end - start;
        self.live.push(block);
    }

    /// Takes blocks out of the shadow.
    fn pick(&mut self, pick: Pick, count: usize) -> Vec<Block<A>> {
        let count = count.min(self.live.len());
        let picked: Vec<_> = match pick {
            Pick::Oldest => self.live.drain(..count).collect(),
            Pick::Youngest => self.live.drain(self.live.len() - count..).rev().collect(),
            Pick::Any(seed) => {
                let mut random = Random::new(seed);
                let mut take = |_| {
                    let index = random.below(self.live.len());
                    self.live.swap_remove(index)
                };
                (0..count).map(&mut take).collect()
            }
            Pick::Every(n) => {
                let mut index = 0;
                let mut is_picked = |_: &mut Block<A>| {
                    index += 1;
                    index % n == 0 && index / n <= count
                };
                self.live.extract_if(.., &mut is_picked).collect()
            }
        };
        for block in &picked {
            let (start, end) = block.span();
            self.spans.remove(&start);
            self.live_bytes -= end - start;
        }
        picked
    }

    fn free(&mut self, blocks: Vec<Block<A>>, by: By) {
        if !blocks.is_empty() {
            self.on(by, move || blocks.into_iter().for_each(Block::free));
        }
    }
}
