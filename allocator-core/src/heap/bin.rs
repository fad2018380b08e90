//! A bin: what a thread has in hand of one size class.
//!
//! *Run*: the bin is attached to one page; `head` is that page's free list, so what is freed
//! is handed out next. *Random* (an option, `cache`): `head` lists blocks of any pages.
//!
//! 1. All zero is a bin with nothing: an allocation and a free both leave the fast path.
//! 2. `n` is the length of the list. An allocation that finds nothing has counted all the same,
//!    and leaves `n` below 0; who sees to it sets that right first.
//! 3. In run mode `span` is the bytes of the page, a power of two to which the page is aligned,
//!    and `head` is an address in the page even when the list is empty (page invariant 6). So
//!    `head ^ block < span` says whether a block is of the page. Otherwise `span` is 0.
//! 4. In random mode `limit` is the most that `n` may be; otherwise it is 0.

use core::cell::Cell;
use core::ptr;

use crate::config::choices::{Choices, Derived};
use crate::config::size_class::BIN_BYTES;
use crate::mem::block::{Block, BlockList};
use crate::mem::page::Page;
use crate::mem::samples;
use crate::mem::written;

/// One class's bin.
#[repr(C)]
pub(crate) struct Bin {
    /// First free block, or the end of the list.
    head: Cell<*mut Block>,
    /// Inv. 3.
    span: Cell<usize>,
    /// Inv. 2.
    n: Cell<i32>,
    /// Inv. 4.
    limit: Cell<i32>,
    /// In run mode, into which page the last block was freed that the bin did not take, and how many in a row were:
    /// see `wants_to_switch`. In random mode, how many lists in a row came between which it gave out nothing.
    streak: Cell<u32>,
    /// In run mode, where the head was then; in random mode, how many blocks were in hand when the last list came.
    mark: Cell<u32>,
}

const _: () = assert!(size_of::<Bin>() == BIN_BYTES);

/// Bits of `streak` that count frees in a row.
const STREAK_BITS: u32 = 3;
/// Frees in a row into another page that make the bin switch to it.
const STREAK_MAX: u32 = 6;

/// Lists in a row between which a bin gives out nothing that make it give up what it has.
const UNUSED_MAX: u32 = 8;

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

impl Bin {
    /// Takes the first block; null when there is none.
    ///
    /// # Safety
    /// - the bin is the calling thread's, and of `class`.
    #[inline(always)]
    pub(crate) unsafe fn pop<C: Choices>(&self, class: usize) -> *mut Block {
        let block = self.head.get();
        let n = self.n.get().wrapping_sub(1);
        // Before the check, which then is that of the subtraction itself.
        self.n.set(n);
        if n < 0 {
            return ptr::null_mut();
        }
        if !C::LINKS {
            // SAFETY: the list is this thread's and was not empty (Inv. 2).
            self.head.set(unsafe { Block::next::<C>(block, 0) });
        } else {
            // SAFETY: as above.
            match unsafe { Block::unsign(block) } {
                Some(next) => self.head.set(next),
                // SAFETY: a block of a page.
                None => unsafe { written::free_block_written::<C>(block) },
            }
        }
        // SAFETY: taken off the list, of the bin's class.
        unsafe { written::check_zero::<C>(block, class) };
        block
    }

    /// Frees a block, if it is of the page that the bin is attached to, or if the bin is in random
    /// mode and its list is not full; whether it did.
    ///
    /// # Safety
    /// - the bin is the calling thread's;
    /// - `block` is a block of the bin's class that its user gave back.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push<C: Choices>(&self, block: *mut u8) -> bool {
        let head = self.head.get();
        // Before the check: a block that belongs elsewhere is linked again there.
        // SAFETY: given back by its user, and nobody else knows it.
        unsafe { Block::set_next::<C>(block.cast(), head) };
        if head.addr() ^ block.addr() >= self.span.get() {
            // SAFETY: the caller's promise.
            return C::CACHES
                && !(C::SAMPLE > 0 && samples::contains(block))
                && unsafe { self.push_random::<C>(block) };
        }
        self.head.set(block.cast());
        self.n.set(self.n.get().wrapping_add(1));
        true
    }

    /// The same in random mode, written out again: the stores in common cost the run mode two
    /// instructions.
    ///
    /// # Safety
    /// - as [`Bin::push`].
    #[inline(always)]
    unsafe fn push_random<C: Choices>(&self, block: *mut u8) -> bool {
        if self.n.get() >= self.limit.get() {
            return false;
        }
        // SAFETY: given back by its user, and nobody else knows it.
        unsafe { Block::set_next::<C>(block.cast(), self.head.get()) };
        self.head.set(block.cast());
        self.n.set(self.n.get() + 1);
        true
    }

    /// Whether [`Bin::push`] would put a block in front of the list because it is of the page that the
    /// bin is attached to (Inv. 3).
    #[inline(always)]
    pub(super) fn is_of_run(&self, block: *mut u8) -> bool {
        self.head.get().addr() ^ block.addr() < self.span.get()
    }

    /// Whether the bin is in random mode and has room.
    #[inline(always)]
    pub(super) fn has_random_room(&self) -> bool {
        self.n.get() < self.limit.get()
    }

    /// Where a block lies in the page that the bin is attached to.
    #[inline(always)]
    pub(super) fn offset_in_run(&self, block: *mut u8) -> usize {
        block.addr() & self.span.get().wrapping_sub(1)
    }

    /// Whether the bin is attached to a page.
    #[inline(always)]
    pub(super) fn is_attached(&self) -> bool {
        self.span.get() != 0
    }

    /// Puts a block in front of the list, in whatever mode.
    ///
    /// # Safety
    /// - as [`Bin::push`]; the bin takes the block: [`Bin::is_of_run`] or [`Bin::has_random_room`].
    #[inline(always)]
    pub(super) unsafe fn put<C: Choices>(&self, block: *mut u8) {
        // SAFETY: given back by its user, and nobody else knows it.
        unsafe { Block::set_next::<C>(block.cast(), self.head.get()) };
        self.head.set(block.cast());
        self.n.set(self.n.get().wrapping_add(1));
    }

    /// Puts a list in front of that of the bin, if that is in random mode, has room for all of it, and gave out a
    /// block since the last list came. Whether it did.
    ///
    /// # Safety
    /// - the list is of one block at least, of blocks of `class`, the bin's, that their users gave back, and the
    ///   caller's.
    #[must_use]
    pub(super) unsafe fn put_list<C: Choices>(&self, class: usize, list: BlockList) -> bool {
        let most = self.limit.get().cast_unsigned();
        if most == 0 {
            return false;
        }
        let (before, count) = (self.len(), self.len() + list.count);
        let is_unused = before > 0 && before >= self.mark.get();
        self.streak
            .set(if is_unused { self.streak.get() + 1 } else { 0 });
        if is_unused || count > most {
            self.mark.set(before);
            return false;
        }
        // Signed again only if it still is.
        // SAFETY: the caller's promise.
        let end = unsafe { Block::next::<C>(list.tail, C::block_bytes(class)) };
        debug_assert!(end.is_null(), "it is the last");
        // SAFETY: as above.
        unsafe { Block::set_next::<C>(list.tail, self.head.get()) };
        self.set_list(list.head, count);
        self.mark.set(count);
        true
    }

    /// Whether the bin, in random mode, gave out nothing while so many lists came that it had better have nothing.
    pub(super) fn stays_unused(&self) -> bool {
        self.limit.get() > 0 && self.streak.get() >= UNUSED_MAX
    }

    /// What the bin is doing. `caches`: whether the bin's type has the
    /// random mode at all, a constant.
    #[inline]
    pub(super) fn mode(&self, caches: bool) -> Mode {
        match self.span.get() {
            0 if caches && self.limit.get() > 0 => Mode::Random,
            0 => Mode::Idle,
            span => {
                let start = self.head.get().map_addr(|address| address & !(span - 1));
                // SAFETY: in run mode the head is in a page in use, aligned to its span (Inv. 3).
                Mode::Run(unsafe { Page::at(start.cast()) })
            }
        }
    }

    /// Sets right what an allocation that found nothing has counted.
    pub(crate) fn settle(&self) {
        self.n.set(self.n.get().max(0));
    }

    /// Has nothing in hand from now on.
    pub(crate) fn set_idle(&self) {
        self.head.set(ptr::null_mut());
        self.span.set(0);
        self.n.set(0);
        self.limit.set(0);
    }

    /// Attaches to a page of `page_bytes`: `head` is its free list of `count` blocks.
    pub(crate) fn set_run(&self, page_bytes: usize, head: *mut Block, count: u32) {
        self.span.set(page_bytes);
        self.limit.set(0);
        self.set_list(head, count);
    }

    /// Lists `count` blocks of any pages; there may be `most`.
    pub(crate) fn set_random(&self, head: *mut Block, count: u32, most: u32) {
        self.mark.set(count);
        self.streak.set(0);
        self.span.set(0);
        self.limit.set(most.cast_signed());
        self.set_list(head, count);
    }

    /// Has this list of `count` blocks in hand, in the mode that it is in.
    pub(crate) fn set_list(&self, head: *mut Block, count: u32) {
        self.head.set(head);
        self.n.set(count.cast_signed());
    }

    pub(crate) fn head(&self) -> *mut Block {
        self.head.get()
    }

    /// Blocks in hand.
    pub(crate) fn len(&self) -> u32 {
        self.n.get().max(0).cast_unsigned()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.n.get() <= 0
    }

    /// Whether the last block that was freed elsewhere went into another page than `page`.
    #[inline(always)]
    pub(super) fn was_elsewhere(&self, page: &Page) -> bool {
        self.streak.get() ^ number_of(page) >= 1 << STREAK_BITS
    }

    /// Notes that a block of `page` was freed elsewhere, and the last one was not.
    #[inline(always)]
    pub(super) fn note_elsewhere(&self, page: &Page) {
        self.streak.set(number_of(page) | 1);
        self.mark.set(self.head.get().addr() as u32);
    }

    /// Notes that a block of `page` was freed elsewhere; whether the bin had better switch to it:
    /// the one before went there too and nothing happened here since (a structure is being
    /// dropped), or several in a row did (a queue takes from one page and frees into another).
    /// Without the second condition two pages that are freed into at random would take turns.
    pub(super) fn wants_to_switch(&self, page: &Page) -> bool {
        if self.was_elsewhere(page) {
            self.note_elsewhere(page);
            return false;
        }
        let streak = self.streak.get() % (1 << STREAK_BITS) + 1;
        let head = self.head.get().addr() as u32;
        let head_before = self.mark.replace(head);
        let switch = streak >= STREAK_MAX || (streak > 1 && head == head_before);
        let streak = if switch { 0 } else { streak };
        self.streak.set(number_of(page) | streak);
        switch
    }
}

/// Low bits of where a page's header is, above those that count. Mistaking one page for another costs a switch.
#[inline(always)]
fn number_of(page: &Page) -> u32 {
    ((ptr::from_ref(page).addr() / size_of::<Page>()) as u32) << STREAK_BITS
}
