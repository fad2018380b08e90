//! What the owner of a heap does with pages between its bins and its queues:
//! attach and detach, read the mail, find and retire what is all free.
//!
//! All of it inside the heap's gate.

use super::bin::Mode;
use super::cache::Cache;
use super::foreign::Sent;
use super::heap::Heap;
use crate::config::RetireCycles;
use crate::config::choices::{Choices, Derived};
use crate::mem::block::Block;
use crate::mem::page::{Freed, Page, State};

/// Of so many pages that become all free, one is the occasion to look for others that did.
const EMPTIED_PAGES: u32 = 4;

/// The page of a block of `class`.
///
/// # Safety
/// - `block` is in use, of type `C` and of that class.
#[inline(always)]
pub(super) unsafe fn page_of<C: Choices>(block: *mut u8, class: usize) -> &'static Page {
    let start = block.map_addr(|address| address & !(C::page_bytes(class) - 1));
    // SAFETY: pages start at multiples of their size (claim_page()).
    unsafe { Page::at(start) }
}

/// Reads the owner's mail: brings home what other threads freed into its pages.
pub(super) fn read_mail<C: Choices>(heap: &'static Heap<C>) {
    for page in heap.owner.mail.take() {
        if !page.is_owned_by(&heap.owner) {
            // It changed hands between the send and now.
            page.owner().mail.send(page);
        } else if page.state() == State::Attached {
            page.take_thread_free::<C>(true);
        } else {
            heap.receive_and_release(page);
        }
    }
}

/// Attaches the class's bin, not in random mode, to a page of the heap that is not attached.
pub(super) fn switch_to<C: Choices>(cache: &Cache<C>, heap: &Heap<C>, page: &'static Page) {
    let class = page.class();
    heap.unqueue(page);
    if let Some(before) = cache.detach(class) {
        heap.put_back_or_retire(before);
    }
    page.collect_local();
    cache.attach(class, page);
}

/// Frees a block into a page of the heap that is not attached.
///
/// # Safety
/// - `block` is a block of `page` that nobody else uses or can reach.
pub(super) unsafe fn free_apart<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    page: &'static Page,
    block: *mut Block,
) {
    let class = page.class();
    // SAFETY: the caller's promise.
    match unsafe { page.free_local::<C>(block) } {
        Freed::Room => {}
        Freed::WasFull => heap.queue(class).push_last(page),
        Freed::Empty => {
            heap.unqueue(page);
            if cache.bin(class).is_empty() && heap.queue(class).is_empty() {
                heap.spare_or_retire(page);
            } else {
                heap.retire(page);
            }
            // A thread that frees all that it has may do nothing else before it sleeps.
            if heap.owned.count().is_multiple_of(EMPTIED_PAGES) {
                detach_emptied(cache, heap);
            }
        }
    }
}

/// Slow-path cycles between two looks for pages that are all free: few enough that retiring
/// counts by them.
fn look_cycles<C: Choices>() -> u32 {
    let RetireCycles { small, large } = C::CONFIG.retire_cycles;
    (small.min(large) / 2).clamp(1, 8)
}

/// Now and then: detaches what is attached and all free, where the next use of the class finds it
/// and a visitor may; and lets go of what has stayed so for the class's retire cycles.
///
/// That a page is all free is not seen by the free that makes it so: the fast path counts, but
/// does not look. A page that is emptied and used by turns so costs nothing but being attached
/// again now and then.
pub(super) fn retire_emptied<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    if !heap.cycle.get().is_multiple_of(look_cycles::<C>()) {
        return;
    }
    heap.retire_spares();
    detach_emptied(cache, heap);
}

/// Detaches what is attached and all free.
fn detach_emptied<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    for class in cache.attached.iter() {
        if let Mode::Run(page) = cache.mode(class)
            && cache.used_in_run(class, page) == 0
            && let Some(page) = cache.detach(class)
        {
            if heap.queue(class).is_empty() {
                heap.spare_or_retire(page);
            } else {
                heap.retire(page);
            }
        }
    }
}

/// Frees a list of blocks of any pages, none of them attached, into their pages. Blocks of other
/// heaps are held back to be sent in runs. Whether some were sent.
pub(super) fn give_back<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    mut list: *mut Block,
) -> Sent {
    let mut sent = Sent::No;
    while !list.is_null() {
        let block = list;
        // SAFETY: the list is this thread's.
        list = unsafe { Block::next::<C>(block, C::block_bytes(class)) };
        // SAFETY: a block of this class.
        let page = unsafe { page_of::<C>(block.cast(), class) };
        if page.is_owned_by(&heap.owner) {
            // SAFETY: nobody else knows the block.
            unsafe { free_apart(cache, heap, page, block) };
        } else {
            if C::COUNTS {
                heap.counters.remote_frees.add(1);
            }
            // SAFETY: nobody else knows the block; the page is not ours.
            sent |= unsafe { heap.foreign.add::<C>(page, class, block) };
        }
    }
    sent
}

/// Empties every bin into its pages, sends what is held of others', reads the mail. Pages that
/// are all free go. At the thread's end, when asked to purge, and when memory is short.
pub(super) fn empty_bins<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    let stay = heap.gate.enter();
    for class in 0..C::CLASSES {
        let bin = cache.bin(class);
        if let Mode::Random = cache.mode(class) {
            let list = bin.head();
            bin.set_idle();
            let _ = give_back(cache, heap, class, list);
        }
        // Also what was attached on the way.
        if let Some(page) = cache.detach(class) {
            heap.collect(page);
            heap.put_back_or_retire(page);
        }
    }
    heap.foreign.send::<C>();
    read_mail(heap);
    heap.sweep_and_release();
    debug_assert!(cache.attached.iter().next().is_none());
    heap.check();
    drop(stay);
}

/// Gives back what is free inside pages with live blocks. When asked to purge.
pub(crate) fn make_holes<C: Choices>(heap: &'static Heap<C>) {
    let stay = heap.gate.enter();
    heap.make_all_holes();
    heap.check();
    drop(stay);
}

/// Asserts the invariants of a thread's bins and pages.
pub(crate) fn check<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    let stay = heap.gate.enter();
    heap.check();
    heap.quarantine.check();
    for class in 0..C::CLASSES {
        cache.check_bin(class);
    }
    drop(stay);
}
