//! A bin: what a thread has in hand of one size class. Two modes, one fast path.
//!
//! *Run*: the bin is attached to one page; `head` is that page's free list, so what is freed
//! is handed out next. `[base, base + span)` is the page and `n` is minus its used blocks.
//! *Random* (an option, `cache`): `head` lists blocks of any pages; `[base, base + span)` is
//! all addresses, and `n` is the length of the list minus the most that it may hold.
//!
//! 1. All zero is a bin with nothing: no address is in an empty span, so a free leaves the fast
//!    path, and so does an allocation, because the list is empty.
//! 2. In both modes a free adds 1 to `n` and an allocation takes 1 off, and `n` reaches 0 when
//!    there is something to do: the page is all free, or the list is full.
//! 3. After that was looked at in run mode and the page was kept, `n` is one less than Inv. 2 has
//!    it (the cache's `eased` says so), so that a block going to and fro costs nothing.

use core::cell::Cell;
use core::ptr;

use crate::config::size_class::BIN_BYTES;
use crate::mem::block::Block;
use crate::mem::page::Page;

/// One class's bin.
#[repr(C)]
pub(crate) struct Bin {
    /// First free block; null when there is none.
    head: Cell<*mut Block>,
    /// Where the addresses begin whose blocks may be pushed.
    base: Cell<*mut u8>,
    /// Bytes of those addresses.
    span: Cell<usize>,
    /// See Inv. 2.
    n: Cell<i32>,
    /// Where the last block was freed elsewhere: see `wants_to_switch`.
    last_elsewhere: Cell<u32>,
}

const _: () = assert!(size_of::<Bin>() == BIN_BYTES);

/// Fields of `last_elsewhere`, from the right: frees in a row, page, head.
const STREAK_BITS: u32 = 3;
const PAGE_BITS: u32 = 15;
const HEAD_BITS: u32 = 14;
/// Frees in a row into another page that make the bin switch to it.
const STREAK_MAX: u32 = 6;

/// Span of the random mode: every address.
const ALL: usize = usize::MAX;

/// What a bin is doing.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// Nothing in hand.
    Idle,
    /// Attached to this page.
    Run(&'static Page),
    /// Listing blocks of any pages.
    Random,
}

/// What a push into a bin left to do.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// Nothing.
    Done,
    /// The block is not pushed: it belongs elsewhere.
    Elsewhere,
    /// The block is pushed, and `n` reached 0.
    AtLimit,
}

impl Bin {
    /// Takes the first block; null when there is none.
    ///
    /// # Safety
    /// - the bin is the calling thread's.
    #[inline(always)]
    pub(crate) unsafe fn pop(&self) -> *mut Block {
        let block = self.head.get();
        if !block.is_null() {
            // SAFETY: the list is this thread's.
            self.head.set(unsafe { Block::next(block) });
            self.n.set(self.n.get().wrapping_sub(1));
        }
        block
    }

    /// Frees a block.
    ///
    /// # Safety
    /// - the bin is the calling thread's;
    /// - `block` is a block of the bin's class that its user gave back.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, block: *mut u8) -> Push {
        if block.addr().wrapping_sub(self.base.get().addr()) >= self.span.get() {
            return Push::Elsewhere;
        }
        let block = block.cast();
        // SAFETY: given back by its user, and nobody else knows it.
        unsafe { Block::set_next(block, self.head.get()) };
        self.head.set(block);
        let n = self.n.get().wrapping_add(1);
        self.n.set(n);
        if n >= 0 { Push::AtLimit } else { Push::Done }
    }

    /// What the bin is doing. `caches`: whether its type has the random mode at all, a constant.
    #[inline]
    pub(super) fn mode(&self, caches: bool) -> Mode {
        match self.span.get() {
            0 => Mode::Idle,
            ALL if caches => Mode::Random,
            // SAFETY: in run mode the base is the start of a page in use.
            _ => Mode::Run(unsafe { Page::at(self.base.get()) }),
        }
    }

    /// Has nothing in hand from now on.
    pub(crate) fn set_idle(&self) {
        self.head.set(ptr::null_mut());
        self.base.set(ptr::null_mut());
        self.span.set(0);
        self.n.set(0);
    }

    /// Attaches to `page`, of which `used` blocks are used.
    pub(crate) fn set_run(&self, page: &Page, page_bytes: usize, head: *mut Block, used: u32) {
        self.head.set(head);
        self.base.set(page.start());
        self.span.set(page_bytes);
        self.n.set(-used.cast_signed());
    }

    /// Lists `count` blocks of any pages; there may be `most`.
    pub(crate) fn set_random(&self, head: *mut Block, count: u32, most: u32) {
        self.head.set(head);
        self.base.set(ptr::null_mut());
        self.span.set(ALL);
        self.n.set(count.cast_signed() - most.cast_signed());
    }

    pub(crate) fn head(&self) -> *mut Block {
        self.head.get()
    }

    pub(crate) fn set_head(&self, head: *mut Block) {
        self.head.set(head);
    }

    pub(crate) fn n(&self) -> i32 {
        self.n.get()
    }

    pub(crate) fn set_n(&self, n: i32) {
        self.n.set(n);
    }

    /// Notes that a block of `page` was freed elsewhere; whether the bin had better switch to it:
    /// the one before went there too and nothing happened here since (a structure is being
    /// dropped), or several in a row did (a queue takes from one page and frees into another).
    /// Without the second condition two pages that are freed into at random would take turns.
    pub(super) fn wants_to_switch(&self, page: &Page) -> bool {
        // Low bits of where the page and the head are. Mistaking one for another costs a switch.
        let page = (ptr::from_ref(page).addr() / size_of::<Page>()) as u32 % (1 << PAGE_BITS);
        let head = (self.head.get().addr() / 8) as u32 % (1 << HEAD_BITS);
        let last = self.last_elsewhere.get();
        let streak = match last {
            _ if last >> STREAK_BITS & ((1 << PAGE_BITS) - 1) != page => 1,
            _ => last % (1 << STREAK_BITS) + 1,
        };
        let untouched = last >> (STREAK_BITS + PAGE_BITS) == head;
        let switch = streak >= STREAK_MAX || (streak > 1 && untouched);
        let streak = if switch { 0 } else { streak };
        self.last_elsewhere
            .set(head << (STREAK_BITS + PAGE_BITS) | page << STREAK_BITS | streak);
        switch
    }
}
