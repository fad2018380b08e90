//! A thread's cache of one type: a bin per size class, and the way to its heap.
//!
//! Thread-local and touched by its own thread only. All zero is a thread that
//! has not allocated yet: every operation leaves the fast path.
//!
//! 1. While `heap` is null every bin is idle.
//! 2. A class is in `attached` when its bin is attached to a page.

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr;

use super::bin::{Bin, Mode};
use super::heap::Heap;
use crate::base::class_set::ClassSet;
use crate::config::choices::{Choices, Derived, element};
use crate::config::size_class::BIN_BYTES;
use crate::mem::block::Block;
use crate::mem::page::{Page, State};
use crate::mem::pagemap::View;
use crate::mem::tally::Tally;
use crate::mem::{samples, written};

/// One thread's cache of one type. The bins come first: lookup tables hold offsets to them.
#[repr(C)]
pub struct Cache<C: Choices> {
    bins: UnsafeCell<C::PerClass<Bin>>,
    /// The thread's heap; null before the first allocation and after the thread's end.
    heap: Cell<*const Heap<C>>,
    /// What the thread sees of the pagemap: nothing without a heap.
    view: Cell<View>,
    /// That of the heap, when requests are recorded; null until the thread first asks.
    tally: Cell<*const Tally>,
    /// Inv. 2.
    pub(super) attached: ClassSet,
    /// What to do at the thread's end: a link of the thread's list.
    pub(crate) end: EndLink,
}

/// A link of the list of a thread's caches, of whatever type, that its end has to see to.
#[repr(C)]
pub(crate) struct EndLink {
    /// Next link; null at the end.
    pub(crate) next: Cell<*const EndLink>,
    /// Ends the cache at `cache`.
    pub(crate) verb: Cell<Option<unsafe extern "C" fn(cache: *const c_void)>>,
    pub(crate) cache: Cell<*const c_void>,
}

impl<C: Choices> Cache<C> {
    /// A cache without a heap; all zero.
    pub(crate) const fn new() -> Self {
        Self {
            // SAFETY: an idle bin is all zero.
            bins: UnsafeCell::new(unsafe { core::mem::MaybeUninit::zeroed().assume_init() }),
            heap: Cell::new(ptr::null()),
            view: Cell::new(View::NOTHING),
            tally: Cell::new(ptr::null()),
            attached: ClassSet::new(),
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

    /// Frees a block into the bin at `offset`, or lets it wait in the heap's quarantine, if there is room and,
    /// with `hardening`, nothing about it is suspicious; whether it did.
    ///
    /// # Safety
    /// - `block` is a block of the bin's class that its user gave back, as far as `hardening` does not
    ///   look.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push(&self, offset: u16, block: *mut u8) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.push_if(offset, block, || true) }
    }

    /// The same, if nothing about the block's end is suspicious, either: asked last, of a block that may be
    /// looked at.
    ///
    /// # Safety
    /// - as [`Cache::push`].
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push_if(
        &self,
        offset: u16,
        block: *mut u8,
        is_end_sound: impl FnOnce() -> bool,
    ) -> bool {
        let bin = self.bin_at(offset);
        let class = offset as usize / BIN_BYTES;
        if !C::LINKS && !C::PAGES && !C::CANARIES && C::QUARANTINE == 0 {
            // SAFETY: the bin is this thread's, and the rest the caller's promise.
            let is_taken = unsafe { bin.push::<C>(block) };
            if is_taken {
                // SAFETY: given back by its user, and of the bin's class.
                unsafe { written::clear::<C>(block, class) };
            }
            return is_taken;
        }
        if C::QUARANTINE > 0 && C::EXPORTS && class >= C::CLASSES {
            // The bin that a large block names, behind the last one.
            return false;
        }
        let is_sound = self.is_taken(bin, block, class)
            // SAFETY: a block of the type: looked at, or promised.
            && !(C::LINKS && unsafe { Block::is_signed(block.cast()) })
            && is_end_sound();
        if !is_sound {
            return false;
        }
        if C::QUARANTINE > 0 {
            // SAFETY: the caller's promise.
            return unsafe { self.let_wait(block, class) };
        }
        // SAFETY: the bin is this thread's and takes the block.
        unsafe {
            written::clear::<C>(block, class);
            bin.put::<C>(block);
        }
        true
    }

    /// Whether a block is one of `class`, as far as `hardening` asks, and the bin takes it, or there is a quarantine.
    #[inline(always)]
    fn is_taken(&self, bin: &Bin, block: *mut u8, class: usize) -> bool {
        let is_block = || match C::PAGES {
            true => self.is_block(block, class),
            false => !(C::SAMPLE > 0 && samples::contains(block)),
        };
        if C::QUARANTINE > 0 {
            // Whether it is of the bin's page is as good as random, hence not asked.
            return is_block();
        }
        if !bin.is_of_run(block) {
            return C::CACHES && bin.has_random_room() && is_block();
        }
        !C::PAGES || {
            // Without a lookup where the layout is a constant.
            let offset = match C::EXPORTS {
                true => bin.offset_in_run(block),
                false => block.addr() & (C::page_bytes(class) - 1),
            };
            C::is_block_start(offset, class)
        }
    }

    /// Lets a block wait in the quarantine of the heap, if there is one and its young generation has room; whether
    /// it did.
    ///
    /// # Safety
    /// - `block` is a block of `class` that its user gave back.
    #[inline(always)]
    unsafe fn let_wait(&self, block: *mut u8, class: usize) -> bool {
        let Some(heap) = self.heap() else {
            return false;
        };
        let _stay = heap.gate.enter();
        let has_room = heap.quarantine.has_room(class);
        if has_room {
            // SAFETY: given back by its user, and there is room.
            unsafe {
                written::clear::<C>(block, class);
                heap.quarantine.add(class, block.cast());
            }
        }
        has_room
    }

    /// Whether `block` is one of `class`, by the pagemap; no thread without a heap is told so.
    #[inline(always)]
    fn is_block(&self, block: *mut u8, class: usize) -> bool {
        self.view.get().has(block, class)
            && C::is_block_start(block.addr() & (C::page_bytes(class) - 1), class)
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
        if C::PAGES {
            let view = heap.map_or(View::NOTHING, |heap| View::of(heap.account().number()));
            self.view.set(view);
        }
        self.set_tally(None);
    }

    /// The tally of what the thread asks for, if it has asked and there is one.
    #[inline(always)]
    pub(crate) fn tally(&self) -> Option<&'static Tally> {
        // SAFETY: null or part of a book, which stays until a child lets go of it, and then of this.
        unsafe { self.tally.get().as_ref() }
    }

    pub(crate) fn set_tally(&self, tally: Option<&'static Tally>) {
        self.tally.set(tally.map_or(ptr::null(), ptr::from_ref));
    }

    /// Blocks handed out of the page that the class's bin is attached to.
    pub(super) fn used_in_run(&self, class: usize, page: &Page) -> u32 {
        page.used() - self.bin(class).len()
    }

    /// Asserts the invariants of a class's bin.
    pub(super) fn check_bin(&self, class: usize) {
        let bin = self.bin(class);
        let (mut listed, mut block) = (0, bin.head());
        while !Block::is_end(block) {
            listed += 1;
            // SAFETY: the list is this thread's.
            block = unsafe { Block::next::<C>(block, C::block_bytes(class)) };
        }
        assert_eq!(listed, bin.len(), "bin invariant 2");
        assert_eq!(
            matches!(self.mode(class), Mode::Run(_)),
            self.attached.contains(class),
            "cache invariant 2"
        );
        match self.mode(class) {
            Mode::Idle => assert_eq!(listed, 0, "bin invariant 1"),
            Mode::Random => {
                let most = C::CONFIG.cache_blocks_for(C::block_bytes(class));
                assert!(listed <= most, "bin invariant 4");
            }
            Mode::Run(page) => {
                assert!(page.state() == State::Attached && page.class() == class);
                assert!(listed <= page.used(), "bin invariant 3");
            }
        }
    }

    /// Attaches the class's bin to `page`, which is in no queue.
    pub(super) fn attach(&self, class: usize, page: &'static Page) {
        page.set_state(State::Attached);
        let (head, count) = page.take_free();
        self.bin(class).set_run(C::page_bytes(class), head, count);
        self.attached.insert(class);
    }

    /// Detaches the class's bin from its page and leaves it idle; the page is in no queue then.
    pub(super) fn detach(&self, class: usize) -> Option<&'static Page> {
        let Mode::Run(page) = self.mode(class) else {
            return None;
        };
        let bin = self.bin(class);
        page.return_free::<C>(bin.head(), bin.len());
        bin.set_idle();
        self.attached.remove(class);
        page.set_state(State::Full);
        Some(page)
    }
}
