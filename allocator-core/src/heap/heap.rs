//! A heap: the pages that one thread of one type allocates from.
//!
//! All of it is used by one thread at a time: the owner inside its gate, a
//! visitor inside the gate, or, for the heap of abandoned pages, who holds the
//! type's lock.
//!
//! 1. Every page in `owned` has this heap as owner, and the other way round.
//! 2. A queue holds the pages of its class that have room and are not attached.

use core::ops::Deref;
use core::ptr;

use super::account::Account;
use super::claim::{Touch, claim_page, release_page};
use super::counters::Counters;
use super::foreign::Foreign;
use super::gate::Gate;
use super::quarantine::Quarantine;
use super::spares::Spares;
use crate::base::class_set::ClassSet;
use crate::base::sync::{AtomicPtr, Cell, Ordering};
use crate::config::Extend;
use crate::config::choices::{Choices, Derived, element};
use crate::config::geometry::HALF_REMAINING_LEAST_BYTES;
use crate::mem::due;
use crate::mem::page::lists::{Owned, Queue};
use crate::mem::page::{Owner, Page, State};
use crate::mem::random::Random;
use crate::mem::tally::Tally;
use crate::os;

/// Most bytes that the very first extension of a class in a heap threads: many a thread needs a
/// few blocks of many classes. 1000 such threads took 311 KiB each without this bound and 16 KiB
/// batches.
const FIRST_BATCH_BYTES_MAX: u32 = 4096;

/// On cache lines of its own: two, as they are fetched in pairs.
#[repr(C, align(128))]
pub(super) struct Apart<T>(T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// One thread's pages of one type. All zero is an empty heap without a type.
#[repr(C)]
pub struct Heap<C: Choices> {
    /// Whom this heap's pages belong to: its mailbox. What others write is on a line of its own.
    pub(super) owner: Apart<Owner>,
    pub(super) gate: Gate,
    /// All pages (Inv. 1).
    pub(super) owned: Owned,
    /// Blocks of other heaps' pages that the owner freed, not sent yet.
    pub(super) foreign: Foreign,
    /// Times the owner left the fast path for a page, which retiring counts by.
    pub(super) cycle: Cell<u32>,
    /// Blocks until the next is sampled; 0 before it is known. Owner only.
    pub(super) until_sample: Cell<u32>,
    /// What the order of fresh blocks is drawn from. Owner only.
    order: Random,
    pub(crate) counters: Counters,
    /// The type's account; null until the heap is given to a type.
    account: AtomicPtr<Account<C>>,
    /// Next of the type's heaps. Written once.
    pub(super) next_record: AtomicPtr<Heap<C>>,
    /// Next of the type's heaps without a thread. Under the type's lock.
    pub(super) next_free: Cell<*const Heap<C>>,
    /// Classes that the heap ever made a page of.
    pub(super) made: ClassSet,
    /// Pages with room, by class (Inv. 2).
    queues: C::PerClass<Queue>,
    /// All-free pages kept for the next use of their class.
    pub(super) spares: Spares<C>,
    /// What its thread asks for, when that is recorded; null until it asks.
    tally: AtomicPtr<Tally>,
    /// Blocks that wait before they go on.
    pub(super) quarantine: Quarantine<C>,
}

// SAFETY: the cells are used by one thread at a time (see the module's text); the rest is atomic.
unsafe impl<C: Choices> Sync for Heap<C> {}
// SAFETY: as above; a heap is handed from thread to thread under the type's lock.
unsafe impl<C: Choices> Send for Heap<C> {}

impl<C: Choices> Heap<C> {
    /// An empty heap.
    pub(super) const fn new() -> Self {
        // SAFETY: every field is valid all zero: cells, atomics, null pointers, empty lists.
        unsafe { core::mem::MaybeUninit::zeroed().assume_init() }
    }

    /// Serves the type that `type_id` identifies from now on.
    pub(super) fn give_to(&self, type_id: *const (), account: &'static Account<C>) {
        self.owner.set_type(type_id);
        // Release: pairs with the Acquire in account().
        self.account
            .store(ptr::from_ref(account).cast_mut(), Ordering::Release);
    }

    pub(super) fn account(&self) -> &'static Account<C> {
        // Acquire: pairs with the Release in give_to().
        // SAFETY: set before the heap is used, and in a static.
        unsafe { &*self.account.load(Ordering::Acquire) }
    }

    /// The tally of what its thread asks for, if it has one.
    pub(crate) fn tally(&self) -> Option<&'static Tally> {
        // Relaxed: written by the thread that the heap is of; under a lock it passes to the next.
        // SAFETY: null or part of a book, which stays until a child lets go of it, and then of this.
        unsafe { self.tally.load(Ordering::Relaxed).as_ref() }
    }

    pub(crate) fn set_tally(&self, tally: Option<&'static Tally>) {
        let tally = tally.map_or(ptr::null_mut(), |tally| ptr::from_ref(tally).cast_mut());
        // Relaxed: as above.
        self.tally.store(tally, Ordering::Relaxed);
    }

    /// The queue of a class.
    #[inline]
    pub(super) fn queue(&self, class: usize) -> &Queue {
        debug_assert!(class < C::CLASSES);
        // SAFETY: the class is below CLASSES.
        unsafe { element::<C, Queue>(&raw const self.queues, class) }
    }

    /// Takes a page out of its queue, if it is in it.
    pub(super) fn unqueue(&self, page: &'static Page) {
        if page.state() == State::Queued {
            self.queue(page.class()).remove(page);
        }
    }

    /// A page of `class` that has a free list, taken out of the queue; `None` when the queue
    /// holds none.
    pub(super) fn take_queued(&self, class: usize) -> Option<&'static Page> {
        let queue = self.queue(class);
        while let Some(page) = queue.first() {
            self.unqueue(page);
            if C::CONFIG.fast_path.skip_collect && page.has_free() {
                if C::COUNTS {
                    self.counters.collects_skipped.add(1);
                }
                return Some(page);
            }
            self.collect(page);
            if page.has_free() || self.extend(page) {
                return Some(page);
            }
        }
        None
    }

    /// Keeps a page that is all free and in no queue for the next use of its class, if the class
    /// has none and is to have one; otherwise gives it back to the arena.
    pub(super) fn spare_or_retire(&self, page: &'static Page) {
        let cycles = C::CONFIG.retire_cycles_for(C::block_bytes(page.class()));
        let now_ms = os::now_ms();
        let is_spare = cycles > 0
            && page.is_unknown_to_senders()
            && self.spares.keep(page, self.cycle.get(), now_ms);
        if is_spare {
            due::after(now_ms, C::CONFIG.purge);
        } else {
            self.retire(page);
        }
    }

    /// The spare page of a class, with a free list, if there is one.
    pub(super) fn take_spare(&self, class: usize) -> Option<&'static Page> {
        let page = self.spares.take(class)?;
        page.collect_local();
        Some(page)
    }

    /// Lets go of pages that stayed spare for their class's retire cycles.
    pub(super) fn retire_spares(&self) {
        self.spares.take_if(
            |page| {
                let kept = self.cycle.get().wrapping_sub(page.spare_since().0);
                kept >= C::CONFIG.retire_cycles_for(C::block_bytes(page.class()))
            },
            |page| self.retire(page),
        );
    }

    /// Brings the blocks of `page` home to its `free` list.
    pub(super) fn collect(&self, page: &Page) {
        if C::COUNTS {
            self.counters.collects.add(1);
        }
        if !C::CONFIG.fast_path.local_first {
            self.collect_remote(page);
        }
        // With `local_first` the remote list is not looked at: who frees the first block into it
        // puts the page into our mailbox, and the mail is read before pages are.
        page.collect_local();
    }

    /// Brings home what other threads freed, if anything: one atomic load to find out.
    fn collect_remote(&self, page: &Page) {
        if C::COUNTS {
            self.counters.thread_free_loads.add(1);
        }
        if page.has_remote() {
            page.take_thread_free::<C>(false);
        }
    }

    /// Collects everything, remote first, whatever the options: the page is about to change hands.
    pub(super) fn collect_all(&self, page: &Page) {
        self.collect_remote(page);
        page.collect_all::<C>();
    }

    /// Threads more blocks of `page`; false when it has no more.
    pub(super) fn extend(&self, page: &Page) -> bool {
        let unthreaded = page.unthreaded();
        if unthreaded == 0 {
            return page.thread_hole::<C>();
        }
        let batch = |bytes: u32| (bytes / page.block_bytes().max(1)).max(1);
        let count = match C::CONFIG.small_extend {
            Extend::Batch(bytes) if !self.made.contains(page.class()) => {
                batch(bytes.min(FIRST_BATCH_BYTES_MAX))
            }
            Extend::Batch(bytes) => batch(bytes),
            Extend::HalfRemaining => batch(HALF_REMAINING_LEAST_BYTES).max(unthreaded / 2),
            Extend::All => unthreaded,
        };
        page.extend::<C>(count.min(unthreaded), &self.order);
        if C::COUNTS {
            self.counters.extensions.add(1);
        }
        true
    }

    /// Puts a page that is not attached where it belongs. It is not all free.
    pub(super) fn put_back(&self, page: &'static Page) {
        debug_assert!(page.used() > 0);
        if page.used() < page.reserved() {
            self.queue(page.class()).push_first(page);
        } else {
            page.set_state(State::Full);
        }
        page.check_counts();
    }

    /// A new page of `class` with a free list, from the arena. `None` when the OS has no more
    /// or the type's limit is reached.
    pub(super) fn make_page(&'static self, class: usize) -> Option<&'static Page> {
        // Of a class's first page perhaps a few blocks are used; of the next, most.
        let touch = if self.made.contains(class) {
            Touch::AllOver
        } else {
            Touch::HereAndThere
        };
        let page = claim_page(self.account(), class, touch)?;

        self.own(page);
        let extended = self.extend(page);
        debug_assert!(extended, "a new page has blocks to thread");
        self.made.insert(class);
        if C::COUNTS {
            self.counters.pages_made.add(1);
        }
        Some(page)
    }

    /// Has all pages that are mostly free give back what they do not use. Not where free blocks are
    /// signed, which they cannot be in a hole.
    pub(super) fn make_all_holes(&self) {
        if C::LINKS {
            return;
        }
        for page in self.owned.iter() {
            if page.state() == State::Queued && page.may_have_holes() {
                page.make_holes::<C>();
            }
        }
    }

    /// Becomes the owner of a page that is in no list.
    pub(super) fn own(&'static self, page: &'static Page) {
        page.set_owner(&self.owner);
        self.owned.push(page);
    }

    /// Gives a page that is all free and in no queue back to the arena.
    pub(super) fn retire(&self, page: &'static Page) {
        if let Some(page) = self.give_up(page) {
            release_page(self.account(), page, C::CONFIG.purge);
        }
    }

    /// Puts a page that is not attached where it belongs, be it back to the arena.
    pub(super) fn put_back_or_retire(&self, page: &'static Page) {
        if page.used() > 0 {
            self.put_back(page);
        } else {
            self.retire(page);
        }
    }

    /// Gives up a page that is all free and in no queue; the caller sees to its memory. `None`
    /// when a sender still knows the page: then it is queued, and goes when its mail is read.
    #[must_use]
    fn give_up(&self, page: &'static Page) -> Option<&'static Page> {
        debug_assert!(page.used() == 0 && page.state() != State::Queued);
        if !page.is_unknown_to_senders() {
            self.queue(page.class()).push_last(page);
            return None;
        }
        self.owned.remove(page);
        if C::COUNTS {
            self.counters.pages_retired.add(1);
        }
        Some(page)
    }

    /// Reads the mail about a page that is not attached. Returns a page to release.
    #[must_use]
    fn receive(&self, page: &'static Page) -> Option<&'static Page> {
        debug_assert!(page.is_owned_by(&self.owner) && page.state() != State::Attached);
        page.take_thread_free::<C>(true);
        if page.used() == 0 {
            self.unqueue(page);
            return self.give_up(page);
        }
        if page.used() < page.reserved() && page.state() == State::Full {
            self.queue(page.class()).push_last(page);
        }
        None
    }

    /// Reads all mail and lets go of pages that are all free, as far as nothing is attached to a
    /// bin, the spare ones included that are so since `until_ms`: for visitors and for the heap of
    /// abandoned pages. `released` gets the pages.
    pub(super) fn sweep(&self, until_ms: u64, released: &mut impl FnMut(&'static Page)) {
        for page in self.owner.mail.take() {
            if !page.is_owned_by(&self.owner) {
                page.owner().mail.send(page);
            } else if page.state() == State::Attached {
                // The bin that it is attached to is its owner's alone: leave it to the owner.
                self.owner.mail.send(page);
            } else if let Some(page) = self.receive(page) {
                released(page);
            }
        }
        self.spares.take_if(
            |page| page.spare_since().1 <= until_ms,
            |page| {
                if let Some(page) = self.give_up(page) {
                    released(page);
                }
            },
        );
    }

    /// [`Heap::sweep`], and what is given up goes back to the arena.
    pub(super) fn sweep_and_release(&self) {
        self.sweep(u64::MAX, &mut |page| {
            release_page(self.account(), page, C::CONFIG.purge);
        });
    }

    /// Reads the mail about a page of this heap that is not attached.
    pub(super) fn receive_and_release(&self, page: &'static Page) {
        if let Some(page) = self.receive(page) {
            release_page(self.account(), page, C::CONFIG.purge);
        }
    }

    /// Whether a visit could give memory back, spare pages included that are so since `until_ms`.
    pub(super) fn is_worth_a_visit(&self, until_ms: u64) -> bool {
        let since_ms = self.spares.since_ms();
        !self.owner.mail.is_empty() || since_ms.is_some_and(|since_ms| since_ms <= until_ms)
    }

    /// Counts an allocation of the owner, if the type counts them.
    #[inline(always)]
    pub(crate) fn count_allocation(&self) {
        if C::COUNTS_BLOCKS {
            self.counters.allocations.add(1);
        }
    }

    /// Counts a free of the owner, if the type counts them.
    #[inline(always)]
    pub(crate) fn count_free(&self) {
        if C::COUNTS_BLOCKS {
            self.counters.frees.add(1);
        }
    }

    /// Links this heap before `next` in the list of the type's heaps.
    pub(super) fn set_next_record(&self, next: *mut Heap<C>) {
        // Relaxed: published by the list head's Release.
        self.next_record.store(next, Ordering::Relaxed);
    }

    /// Asserts the invariants; debug builds only.
    pub(super) fn check(&self) {
        if cfg!(debug_assertions) {
            let mut pages = 0;
            for page in self.owned.iter() {
                assert!(page.is_owned_by(&self.owner), "heap invariant 1");
                page.check::<C>();
                pages += 1;
            }
            assert_eq!(pages, self.owned.count(), "heap: number of pages");
            for class in 0..C::CLASSES {
                let mut next = self.queue(class).first();
                while let Some(page) = next {
                    assert!(page.class() == class, "heap invariant 2: class");
                    assert!(page.state() == State::Queued, "heap invariant 2: state");
                    assert!(page.used() < page.reserved(), "heap invariant 2: room");
                    next = page.queue_next();
                }
            }
            self.spares.check();
        }
    }
}
