//! What all threads of one declared type share: the heaps without a thread,
//! the heap of abandoned pages, the memory charged to the type.
//!
//! 1. `orphans`, `free_heaps` and `free_caches` are touched by who holds `lock` only, the
//!    mailbox of `orphans` excepted.
//! 2. No OS call is made while `lock` is held, so a fork can wait for it.

use core::cell::Cell;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::cache::Cache;
use super::declared::{Declared, Derived};
use super::heap::{Heap, claim_page, release_page};
use super::registry::{self, TypeNode};
use crate::base::lock::Lock;
use crate::config::Purge;
use crate::mem::arena;
use crate::mem::block::Block;
use crate::mem::page::{Page, State};

/// The state of one declared type.
pub struct Shared<D: Declared> {
    lock: Lock,
    /// Owner of the pages that ended threads left behind (Inv. 1).
    orphans: Heap<D>,
    /// Pages of `orphans`; read without the lock, to know whether looking is worth it.
    orphan_pages: AtomicU32,
    /// All heaps but `orphans`. Only added to.
    records: AtomicPtr<Heap<D>>,
    /// Heaps without a thread (Inv. 1).
    free_heaps: Cell<*const Heap<D>>,
    /// Caches without a thread, for `tls = pointer` (Inv. 1).
    free_caches: Cell<*const Cache<D>>,
    /// What a thread of `tls = pointer` sees after its end.
    ended_cache: Cache<D>,
    /// Pages that visits gave up, on their way to the arena. Who does the upkeep only.
    visited: PageChain,
    /// Bytes of slices and mappings in use by the type, when limited or counted.
    charged: AtomicUsize,
    /// The type's entry among all types of the process.
    node: TypeNode,
}

// SAFETY: Inv. 1; `ended_cache` is never written once it can be reached (`ended` stops every
// operation before it writes).
unsafe impl<D: Declared> Sync for Shared<D> {}

impl<D: Declared> Shared<D> {
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
            ended_cache: Cache::new(),
            visited: PageChain::new(),
            charged: AtomicUsize::new(0),
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

    /// Makes the type known to upkeep and to fork.
    pub(super) fn register(&'static self) {
        self.orphans.owner.set_type(self.type_id());
        registry::add::<D>(&self.node);
    }

    /// The owner of what belongs to no thread: large blocks, and pages of ended threads.
    pub(crate) fn orphans(&self) -> &Heap<D> {
        &self.orphans
    }

    /// All heaps of threads, those without one included.
    pub(crate) fn records(&self) -> impl Iterator<Item = &'static Heap<D>> {
        // Acquire: pairs with the Release in take_heap(): the record is initialised.
        let mut next = self.records.load(Ordering::Acquire);
        core::iter::from_fn(move || {
            // SAFETY: null or a record, which lives as long as the process.
            let heap: &'static Heap<D> = unsafe { next.as_ref() }?;
            // Relaxed: written before the heap was published.
            next = heap.next_record.load(Ordering::Relaxed);
            Some(heap)
        })
    }

    /// A heap for a thread: one that lost its thread, or a new one. `None` without memory.
    pub(crate) fn take_heap(&'static self) -> Option<&'static Heap<D>> {
        self.register();
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

    fn new_heap(&'static self) -> Option<&'static Heap<D>> {
        let record = arena::record(size_of::<Heap<D>>(), align_of::<Heap<D>>().max(128))?;
        // SAFETY: zeroed, aligned, large enough, and nobody else's; all zero is an empty heap.
        let heap: &'static Heap<D> = unsafe { record.cast().as_ref() };
        heap.owner.set_type(self.type_id());
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
    pub(crate) fn abandon(&'static self, heap: &'static Heap<D>) {
        let stay = heap.gate.enter();
        self.lock.acquire();
        for page in heap.owned.iter() {
            if page.state() == State::Queued {
                heap.queue(page.class()).remove(page);
            }
            heap.collect_all(page);
            heap.owned.remove(page);
            self.orphans.own(page);
            if page.used() == 0 {
                // All free but known to a sender: kept until its mail has been read.
                self.orphans.keep_empty(page);
            } else {
                self.orphans.put_back(page);
            }
            if D::COUNTS {
                heap.counters.pages_abandoned.add(1);
            }
        }
        heap.empty_pages.set(0);
        self.note_orphans();
        heap.next_free.set(self.free_heaps.get());
        self.free_heaps.set(heap);
        self.lock.release();
        drop(stay);
    }

    fn note_orphans(&self) {
        // Relaxed: a hint for who has not got the lock.
        self.orphan_pages
            .store(self.orphans.owned.count(), Ordering::Relaxed);
    }

    /// A page of `class` with a free list that an ended thread left behind, now `heap`'s.
    pub(super) fn adopt(
        &'static self,
        heap: &'static Heap<D>,
        class: usize,
    ) -> Option<&'static Page> {
        // Relaxed: a hint.
        if self.orphan_pages.load(Ordering::Relaxed) == 0 || !self.lock.try_acquire() {
            return None;
        }
        let released = PageChain::new();
        self.orphans.sweep(&mut |page| released.push(page));
        let page = self.orphans.take_queued(class);
        if let Some(page) = page {
            self.orphans.owned.remove(page);
            heap.own(page);
            if D::COUNTS {
                heap.counters.pages_adopted.add(1);
            }
        }
        self.note_orphans();
        self.lock.release();
        released.release::<D>(D::CONFIG.purge);
        page
    }

    /// Lets go of all-free pages among those that ended threads left behind.
    pub(super) fn sweep_orphans(&'static self) {
        self.lock.acquire();
        self.orphans.sweep(&mut |page| self.visited.push(page));
        self.note_orphans();
        self.lock.release();
    }

    /// A block for a thread that has no heap: it has ended, or the OS refused to tell us of its
    /// end. Null without memory.
    pub(crate) fn allocate_without_heap(&'static self, class: usize) -> *mut Block {
        self.register();
        let mut fresh = None;
        loop {
            let released = PageChain::new();
            self.lock.acquire();
            self.orphans.sweep(&mut |page| released.push(page));
            if let Some(page) = fresh.take() {
                self.orphans.own(page);
                let extended = self.orphans.extend(page);
                debug_assert!(extended, "a new page has blocks to thread");
                self.orphans.queue(class).push_first(page);
                self.orphans
                    .empty_pages
                    .set(self.orphans.empty_pages.get() + 1);
            }
            let block = self.orphans.take_queued(class).map(|page| {
                let list = page.take_some(1);
                self.orphans.put_back(page);
                list.head
            });
            self.note_orphans();
            self.lock.release();
            released.release::<D>(D::CONFIG.purge);
            if let Some(block) = block {
                return block;
            }
            // Outside the lock: this may call the OS (Inv. 2).
            fresh = claim_page::<D>(class);
            if fresh.is_none() {
                return ptr::null_mut();
            }
        }
    }

    /// A cache record for `tls = pointer`.
    pub(super) fn new_cache(&'static self) -> Option<NonNull<Cache<D>>> {
        self.ended_cache.set_ended();
        self.lock.acquire();
        let free = NonNull::new(self.free_caches.get().cast_mut());
        if let Some(free) = free {
            // SAFETY: a record of ours, without a thread; its link was written by recycle_cache().
            let next = unsafe { free.cast::<*const Cache<D>>().read() };
            self.free_caches.set(next);
        }
        self.lock.release();
        let cache = match free {
            Some(cache) => cache,
            None => arena::record(size_of::<Cache<D>>(), align_of::<Cache<D>>().max(64))?.cast(),
        };
        // SAFETY: large enough, aligned and this thread's alone.
        unsafe { cache.write(Cache::new()) };
        Some(cache)
    }

    /// Takes the cache record of an ended thread back.
    pub(super) fn recycle_cache(&self, cache: NonNull<Cache<D>>) {
        self.lock.acquire();
        // SAFETY: the thread has let go of the record; it is larger than a pointer.
        unsafe {
            cache
                .cast::<*const Cache<D>>()
                .write(self.free_caches.get())
        };
        self.free_caches.set(cache.as_ptr());
        self.lock.release();
    }

    /// Pages that visits gave up; for who does the upkeep.
    pub(super) fn visited(&self) -> &PageChain {
        &self.visited
    }

    pub(super) fn ended_cache(&self) -> *const Cache<D> {
        &raw const self.ended_cache
    }

    /// Whether the type keeps account of its memory.
    const ACCOUNTS: bool = D::CONFIG.limit_bytes.is_some() || D::COUNTS;

    /// Charges `bytes` to the type; false, and nothing charged, over its limit.
    #[must_use]
    pub(crate) fn charge(&self, bytes: usize) -> bool {
        if !Self::ACCOUNTS {
            return true;
        }
        // Relaxed: a sum; nothing is published by it.
        let before = self.charged.fetch_add(bytes, Ordering::Relaxed);
        let within = match D::CONFIG.limit_bytes {
            Some(limit) => before.checked_add(bytes).is_some_and(|sum| sum <= limit),
            None => true,
        };
        if !within {
            self.discharge(bytes);
        }
        within
    }

    /// Takes `bytes` off the type's account.
    pub(crate) fn discharge(&self, bytes: usize) {
        if Self::ACCOUNTS {
            // Relaxed: as in charge().
            self.charged.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Counts an allocation by a thread without a heap, or of a block that belongs to none.
    pub(crate) fn count_allocation(&self, class: Option<usize>) {
        if D::COUNTS {
            self.orphans.counters.allocations.add_shared();
        }
        if let Some(class) = class.filter(|_| D::COUNTS_CLASSES) {
            self.orphans.class_counters(class).allocations.add_shared();
        }
    }

    /// Counts a free by a thread without a heap, or of a block that belongs to none.
    pub(crate) fn count_free(&self, class: Option<usize>) {
        if D::COUNTS {
            self.orphans.counters.frees.add_shared();
        }
        if let Some(class) = class.filter(|_| D::COUNTS_CLASSES) {
            self.orphans.class_counters(class).frees.add_shared();
        }
    }

    /// Bytes of slices and mappings in use by the type; 0 when it keeps no account.
    pub(crate) fn charged_bytes(&self) -> usize {
        // Relaxed: a figure.
        self.charged.load(Ordering::Relaxed)
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
        page.set_mail_next(self.first.get());
        self.first.set(ptr::from_ref(page).cast_mut());
    }

    /// Gives the pages' memory back.
    pub(super) fn release<D: Declared>(&self, purge: Purge) {
        let mut next = self.first.replace(ptr::null_mut());
        // SAFETY: pages of chunks, which are never unmapped.
        while let Some(page) = unsafe { next.as_ref() } {
            next = page.mail_next();
            release_page::<D>(page, purge);
        }
    }
}
