//! What all threads of one declared type share: the heaps without a thread,
//! the heap of abandoned pages, the memory charged to the type.
//!
//! 1. `orphans`, `free_heaps` and `free_caches` are touched by who holds `lock` only, the
//!    mailbox of `orphans` excepted.
//! 2. No OS call is made while `lock` is held, so a fork can wait for it.

use core::ptr::{self, NonNull};

use super::account::Account;
use super::cache::Cache;
use super::claim::{Touch, claim_page, release_page};
use super::counters::Counters;
use super::heap::Heap;
use super::registry::TypeNode;
use crate::base::lock::Lock;
use crate::base::sync::{AtomicPtr, AtomicU32, Cell, Ordering};
use crate::config::Purge;
use crate::config::choices::{Choices, Derived};
use crate::mem::arena;
use crate::mem::block::Block;
use crate::mem::book::Ledger;
use crate::mem::mailbox::Letter;
use crate::mem::page::Owner;
use crate::mem::page::Page;
use crate::mem::written;

/// The state of one declared type.
pub struct Shared<C: Choices> {
    lock: Lock,
    /// Owner of the pages that ended threads left behind (Inv. 1).
    orphans: Heap<C>,
    /// Pages of `orphans`; read without the lock, to know whether looking is worth it.
    orphan_pages: AtomicU32,
    /// All heaps but `orphans`. Only added to.
    records: AtomicPtr<Heap<C>>,
    /// Heaps without a thread (Inv. 1).
    free_heaps: Cell<*const Heap<C>>,
    /// Caches without a thread, for `tls = pointer` (Inv. 1).
    free_caches: Cell<*const Cache<C>>,
    /// Pages that visits gave up, on their way to the arena. Who does the upkeep only.
    visited: PageChain,
    account: Account<C>,
    /// What is recorded of the type.
    ledger: Ledger,
    /// The type's entry among all types of the process.
    node: TypeNode,
}

// SAFETY: Inv. 1; `visited` is used by who does the upkeep only, one thread at a time.
unsafe impl<C: Choices> Sync for Shared<C> {}

impl<C: Choices> Shared<C> {
    /// Nothing shared yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made in constants only")]
    pub const fn new() -> Self {
        Self {
            lock: Lock::new(),
            orphans: Heap::new(),
            orphan_pages: AtomicU32::new(0),
            records: AtomicPtr::new(ptr::null_mut()),
            free_heaps: Cell::new(ptr::null()),
            free_caches: Cell::new(ptr::null()),
            visited: PageChain::new(),
            account: Account::new(),
            ledger: Ledger::new(),
            node: TypeNode::new(),
        }
    }

    /// An address that identifies the type.
    #[inline(always)]
    pub(crate) fn type_id(&'static self) -> *const () {
        ptr::from_ref(self).cast()
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Prepares the heap of abandoned pages; the entry among all types, to be added to them.
    pub(super) fn prepare(&'static self) -> &'static TypeNode {
        self.account.register();
        self.orphans.give_to(self.type_id(), &self.account);
        &self.node
    }

    /// The entry among all types.
    pub(super) fn node(&self) -> &TypeNode {
        &self.node
    }

    pub(crate) fn account(&'static self) -> &'static Account<C> {
        &self.account
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whom large blocks belong to: to no thread, but to this type.
    pub(crate) fn large_owner(&'static self) -> &'static Owner {
        &self.orphans.owner
    }

    /// What was counted apart from the heaps of threads.
    pub(crate) fn counters(&self) -> &Counters {
        &self.orphans.counters
    }

    /// All heaps of threads, those without one included.
    pub(crate) fn records(&self) -> impl Iterator<Item = &'static Heap<C>> {
        // Acquire: pairs with the Release in take_heap(): the record is initialised.
        let mut next = self.records.load(Ordering::Acquire);
        core::iter::from_fn(move || {
            // SAFETY: null or a record, which lives as long as the process.
            let heap: &'static Heap<C> = unsafe { next.as_ref() }?;
            // Relaxed: written before the heap was published.
            next = heap.next_record.load(Ordering::Relaxed);
            Some(heap)
        })
    }

    /// A heap for a thread: one that lost its thread, or a new one. `None` without memory.
    pub(crate) fn take_heap(&'static self) -> Option<&'static Heap<C>> {
        self.lock.acquire();
        let free = self.free_heaps.get();
        // SAFETY: null or a record; the list is ours under the lock.
        let heap = unsafe { free.as_ref() };
        if let Some(heap) = heap {
            self.free_heaps.set(heap.next_free.get());
        }
        self.lock.release();
        heap.or_else(|| self.new_heap())
    }

    fn new_heap(&'static self) -> Option<&'static Heap<C>> {
        let align = align_of::<Heap<C>>().max(128);
        let record = arena::record(size_of::<Heap<C>>(), align, self.account.tenant())?;
        // SAFETY: zeroed, aligned, large enough, and nobody else's; all zero is an empty heap.
        let heap: &'static Heap<C> = unsafe { record.cast().as_ref() };
        heap.give_to(self.type_id(), &self.account);
        // Relaxed: a guess that the exchange checks.
        let mut first = self.records.load(Ordering::Relaxed);
        loop {
            heap.set_next_record(first);
            // Release: publishes the record; pairs with the Acquire in records().
            match self.records.compare_exchange_weak(
                first,
                ptr::from_ref(heap).cast_mut(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(heap),
                Err(now) => first = now,
            }
        }
    }

    /// Takes back the heap of a thread that ends; its pages go to `orphans`. Nothing of the heap
    /// is attached to a bin any more.
    pub(crate) fn abandon(&'static self, heap: &'static Heap<C>) {
        let stay = heap.gate.enter();
        self.lock.acquire();
        for page in heap.owned.iter() {
            heap.unqueue(page);
            heap.collect_all(page);
            heap.owned.remove(page);
            self.orphans.own(page);
            if page.used() == 0 {
                // All free but known to a sender: kept until its mail has been read.
                self.orphans.queue(page.class()).push_last(page);
            } else {
                self.orphans.put_back(page);
            }
            if C::COUNTS {
                heap.counters.pages_abandoned.add(1);
            }
        }
        self.note_orphans();
        heap.made.clear();
        // Out before the heap can be somebody else's.
        drop(stay);
        heap.next_free.set(self.free_heaps.get());
        self.free_heaps.set(heap);
        self.lock.release();
    }

    fn note_orphans(&self) {
        // Relaxed: a hint for who has not got the lock.
        self.orphan_pages
            .store(self.orphans.owned.count(), Ordering::Relaxed);
    }

    /// A page of `class` with a free list that an ended thread left behind, now `heap`'s.
    pub(super) fn adopt(
        &'static self,
        heap: &'static Heap<C>,
        class: usize,
    ) -> Option<&'static Page> {
        // Relaxed: a hint.
        if self.orphan_pages.load(Ordering::Relaxed) == 0 {
            return None;
        }
        // Waits: a thread that made a page instead whenever another one held the lock left room unused that was
        // there. 32 threads on two cores took 1.43 for each live byte, and 1.15 since.
        self.lock.acquire();
        let released = PageChain::new();
        self.orphans
            .sweep(u64::MAX, &mut |page| released.push(page));
        let page = self.orphans.take_queued(class);
        if let Some(page) = page {
            self.orphans.owned.remove(page);
            heap.own(page);
            if C::COUNTS {
                heap.counters.pages_adopted.add(1);
            }
        }
        self.note_orphans();
        self.lock.release();
        released.release(&self.account, C::CONFIG.purge);
        page
    }

    /// Lets go of all-free pages among those that ended threads left behind.
    pub(super) fn sweep_orphans(&'static self) {
        self.lock.acquire();
        // A sender that was slow may have told a heap that has lost its thread meanwhile.
        let mut next = self.free_heaps.get();
        // SAFETY: null or a record; the list is ours under the lock.
        while let Some(heap) = unsafe { next.as_ref() } {
            for page in heap.owner.mail.take() {
                page.owner().mail.send(page);
            }
            next = heap.next_free.get();
        }
        self.orphans
            .sweep(u64::MAX, &mut |page| self.visited.push(page));
        self.note_orphans();
        self.lock.release();
    }

    /// A block for a thread that has no heap: it has ended, or the OS refused to tell us of its
    /// end. Null without memory.
    pub(crate) fn allocate_without_heap(&'static self, class: usize) -> *mut Block {
        let mut fresh = None;
        loop {
            let released = PageChain::new();
            self.lock.acquire();
            self.orphans
                .sweep(u64::MAX, &mut |page| released.push(page));
            if let Some(page) = fresh.take() {
                self.orphans.own(page);
                let extended = self.orphans.extend(page);
                debug_assert!(extended, "a new page has blocks to thread");
                if C::COUNTS {
                    self.orphans.counters.pages_made.add(1);
                }
                self.orphans.queue(class).push_first(page);
            }
            let block = self.orphans.take_queued(class).map(|page| {
                let list = page.take_some::<C>(1);
                self.orphans.put_back(page);
                // SAFETY: off its list, and nobody else's.
                unsafe { written::hand_out::<C>(list.head, class) };
                list.head
            });
            self.note_orphans();
            self.lock.release();
            released.release(&self.account, C::CONFIG.purge);
            if let Some(block) = block {
                return block;
            }
            // Outside the lock: this may call the OS (Inv. 2).
            fresh = claim_page(&self.account, class, Touch::HereAndThere);
            if fresh.is_none() {
                return ptr::null_mut();
            }
        }
    }

    /// A cache record for `tls = pointer`.
    pub(super) fn new_cache(&'static self) -> Option<NonNull<Cache<C>>> {
        self.lock.acquire();
        let free = NonNull::new(self.free_caches.get().cast_mut());
        if let Some(free) = free {
            // SAFETY: a record of ours, without a thread; its link was written by recycle_cache().
            let next = unsafe { free.cast::<*const Cache<C>>().read() };
            self.free_caches.set(next);
        }
        self.lock.release();
        let cache = match free {
            Some(cache) => cache,
            None => {
                let align = align_of::<Cache<C>>().max(64);
                arena::record(size_of::<Cache<C>>(), align, self.account.tenant())?.cast()
            }
        };
        // SAFETY: large enough, aligned and this thread's alone.
        unsafe { cache.write(Cache::new()) };
        Some(cache)
    }

    /// Takes a cache record back, of a thread that has ended or goes without.
    pub(super) fn recycle_cache(&self, cache: NonNull<Cache<C>>) {
        self.lock.acquire();
        // SAFETY: the thread has let go of the record; it is larger than a pointer.
        unsafe {
            cache
                .cast::<*const Cache<C>>()
                .write(self.free_caches.get())
        };
        self.free_caches.set(cache.as_ptr());
        self.lock.release();
    }

    /// Sweeps a heap whose gate the caller, who does the upkeep, has passed as a visitor.
    pub(super) fn visit(&self, heap: &Heap<C>, until_ms: u64) {
        heap.sweep(until_ms, &mut |page| self.visited.push(page));
    }

    /// Gives what visits gave up back to the arena; for who does the upkeep.
    pub(super) fn release_visited(&self, purge: Purge) {
        self.visited.release(&self.account, purge);
    }

    /// Counts an allocation by a thread without a heap, or of a block that belongs to none.
    pub(crate) fn count_allocation(&self) {
        if C::COUNTS_BLOCKS {
            self.orphans.counters.allocations.add_shared(1);
        }
    }

    /// Counts a free by a thread without a heap, or of a block that belongs to none: of one in a page of
    /// another thread if `is_remote`.
    pub(crate) fn count_free(&self, is_remote: bool) {
        if C::COUNTS_BLOCKS {
            self.orphans.counters.frees.add_shared(1);
        }
        if C::COUNTS && is_remote {
            self.orphans.counters.remote_frees.add_shared(1);
        }
    }

    /// Asserts the invariants of the heap of abandoned pages; debug builds only.
    pub(crate) fn check(&self) {
        self.lock.acquire();
        self.orphans.check();
        self.lock.release();
    }
}

/// Pages that were given up inside a gate or under a lock, to be released outside.
pub(super) struct PageChain {
    first: Cell<*mut Page>,
}

impl PageChain {
    pub(super) const fn new() -> Self {
        Self {
            first: Cell::new(ptr::null_mut()),
        }
    }

    /// Adds a page that is in no list and known to no sender.
    pub(super) fn push(&self, page: &'static Page) {
        page.set_next(self.first.get());
        self.first.set(ptr::from_ref(page).cast_mut());
    }

    /// Gives the pages' memory back.
    pub(super) fn release<C: Choices>(&self, account: &Account<C>, purge: Purge) {
        let mut next = self.first.replace(ptr::null_mut());
        // SAFETY: pages of chunks, which are never unmapped.
        while let Some(page) = unsafe { next.as_ref() } {
            next = page.next();
            release_page(account, page, purge);
        }
    }
}
