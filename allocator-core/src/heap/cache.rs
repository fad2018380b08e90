//! A thread's cache of one type: a bin per size class, and the way to its heap.
//!
//! Thread-local and touched by its own thread only. All zero is a thread that
//! has not allocated yet: every operation leaves the fast path.
//!
//! 1. While `heap` is null every bin is idle.
//! 2. Bit `class` of `emptied` is set when the class's bin is attached to a page that was all free
//!    when looked at and kept; then the bin's `n` is one less than minus the used blocks.

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr;

use super::bin::{Bin, Mode};
use super::foreign::ForeignRun;
use super::heap::Heap;
use crate::config::choices::{CLASSES_MAX, Choices, Derived, element};
use crate::mem::block::Block;
use crate::mem::page::{Page, State};

/// One thread's cache of one type. The bins come first: lookup tables hold offsets to them.
#[repr(C)]
pub struct Cache<C: Choices> {
    bins: UnsafeCell<C::PerClass<Bin>>,
    /// The thread's heap; null before the first allocation and after the thread's end.
    heap: Cell<*const Heap<C>>,
    /// Blocks of a foreign page, not sent yet.
    pub(super) foreign: ForeignRun,
    /// Classes attached to a page that was all free when last looked at (Inv. 2).
    emptied: [Cell<u64>; CLASSES_MAX / 64],
    /// Whether the thread's heap is gone for good.
    ended: Cell<bool>,
    /// What to do at the thread's end: a link of the thread's list.
    pub(crate) end: EndLink,
}

/// A link of the list of a thread's caches, of whatever type, that its end has to see to.
#[repr(C)]
pub(crate) struct EndLink {
    /// Next link; null at the end.
    pub(crate) next: Cell<*const EndLink>,
    /// Ends the cache at `cache`.
    pub(crate) verb: Cell<Option<unsafe fn(cache: *const c_void)>>,
    pub(crate) cache: Cell<*const c_void>,
}

impl<C: Choices> Cache<C> {
    /// A cache without a heap; all zero.
    pub(crate) const fn new() -> Self {
        Self::with_ended(false)
    }

    /// What an ended thread sees.
    pub(super) const fn new_ended() -> Self {
        Self::with_ended(true)
    }

    const fn with_ended(ended: bool) -> Self {
        Self {
            // SAFETY: an idle bin is all zero.
            bins: UnsafeCell::new(unsafe { core::mem::MaybeUninit::zeroed().assume_init() }),
            heap: Cell::new(ptr::null()),
            foreign: ForeignRun::new(),
            emptied: [const { Cell::new(0) }; CLASSES_MAX / 64],
            ended: Cell::new(ended),
            end: EndLink {
                next: Cell::new(ptr::null()),
                verb: Cell::new(None),
                cache: Cell::new(ptr::null()),
            },
        }
    }

    /// The bin of a class.
    #[inline(always)]
    pub(crate) fn bin(&self, class: usize) -> &Bin {
        debug_assert!(class < C::CLASSES);
        // SAFETY: the class is below CLASSES.
        unsafe { element::<C, Bin>(self.bins.get(), class) }
    }

    /// The bin at an offset from the lookup table.
    #[inline(always)]
    pub(crate) fn bin_at(&self, offset: u16) -> &Bin {
        // SAFETY: the table's offsets are multiples of a bin's size below that of all bins
        // (contract of `Choices`), and the bins come first.
        unsafe { &*self.bins.get().cast::<Bin>().byte_add(offset as usize) }
    }

    /// What the class's bin is doing.
    #[inline]
    pub(super) fn mode(&self, class: usize) -> Mode {
        self.bin(class).mode(C::CACHES)
    }

    /// The thread's heap, if it has one.
    #[inline(always)]
    pub(crate) fn heap(&self) -> Option<&'static Heap<C>> {
        // SAFETY: null or a record, which lives as long as the process.
        unsafe { self.heap.get().as_ref() }
    }

    pub(crate) fn set_heap(&self, heap: Option<&'static Heap<C>>) {
        self.heap.set(heap.map_or(ptr::null(), ptr::from_ref));
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    pub(crate) fn set_ended(&self) {
        self.ended.set(true);
    }

    /// Whether the class's bin has Inv. 2's bit.
    pub(super) fn is_emptied(&self, class: usize) -> bool {
        self.emptied[class / 64].get() & (1 << (class % 64)) != 0
    }

    /// Sets or takes off Inv. 2's bit and the step of `n` that goes with it.
    pub(super) fn set_emptied(&self, class: usize, emptied: bool) {
        if self.is_emptied(class) != emptied {
            let bin = self.bin(class);
            bin.set_n(bin.n() + if emptied { -1 } else { 1 });
            let bits = &self.emptied[class / 64];
            bits.set(bits.get() ^ (1 << (class % 64)));
        }
    }

    /// The classes with Inv. 2's bit.
    pub(super) fn emptied_classes(&self) -> impl Iterator<Item = usize> {
        let mut word = 0;
        let mut bits = self.emptied[0].get();
        core::iter::from_fn(move || {
            while bits == 0 {
                word += 1;
                bits = self.emptied.get(word)?.get();
            }
            let class = word * 64 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            Some(class)
        })
    }

    /// Used blocks of the page that the class's bin is attached to.
    pub(super) fn used_in_run(&self, class: usize) -> u32 {
        (-self.bin(class).n() - i32::from(self.is_emptied(class))).cast_unsigned()
    }

    /// Asserts the invariants of a class's bin.
    pub(super) fn check_bin(&self, class: usize) {
        let bin = self.bin(class);
        let mut listed = 0;
        let mut block = bin.head();
        while !block.is_null() {
            listed += 1;
            // SAFETY: the list is this thread's.
            block = unsafe { Block::next(block) };
        }
        match self.mode(class) {
            Mode::Idle => assert!(listed == 0 && bin.n() == 0, "bin invariant 1"),
            Mode::Random => {
                let most = C::CONFIG.cache_blocks_for(C::block_bytes(class));
                assert_eq!(
                    bin.n(),
                    listed - most.cast_signed(),
                    "bin invariant 2: random"
                );
            }
            Mode::Run(page) => {
                assert!(page.state() == State::Attached && page.class() == class);
                let used = self.used_in_run(class);
                assert!(
                    page.accounts_for(used, listed.cast_unsigned()),
                    "bin invariant 2: run"
                );
            }
        }
    }

    /// Attaches the class's bin to `page`, which is in no queue.
    pub(super) fn attach(&self, class: usize, page: &'static Page) {
        page.set_state(State::Attached);
        let head = page.take_free();
        self.bin(class)
            .set_run(page, C::page_bytes(class), head, page.used());
    }

    /// Detaches the class's bin from its page and leaves it idle; the page is in no queue then.
    pub(super) fn detach(&self, class: usize) -> Option<&'static Page> {
        let Mode::Run(page) = self.mode(class) else {
            return None;
        };
        let used = self.used_in_run(class);
        page.return_free(self.bin(class).head(), used);
        self.set_emptied(class, false);
        self.bin(class).set_idle();
        page.set_state(State::Full);
        Some(page)
    }
}
