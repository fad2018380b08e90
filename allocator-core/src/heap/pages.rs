//! What the owner of a heap does with pages between its bins and its queues:
//! attach and detach, read the mail, keep or retire what is all free.
//!
//! All of it inside the heap's gate.

use super::bin::Mode;
use super::cache::Cache;
use super::heap::Heap;
use crate::config::choices::{Choices, Derived};
use crate::mem::block::Block;
use crate::mem::page::{Freed, Page, State};

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
pub(super) fn read_mail<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    for page in heap.owner.mail.take() {
        if !page.is_owned_by(&heap.owner) {
            // It changed hands between the send and now.
            page.owner().mail.send(page);
        } else if page.state() == State::Attached {
            let class = page.class();
            let home = page.take_thread_free(true);
            let bin = cache.bin(class);
            bin.set_n(bin.n() + home.cast_signed());
            if cache.used_in_run(class) == 0 {
                // Whether it is kept is decided when the next cycles have passed.
                page.set_emptied_at(heap.cycle.get());
                cache.set_emptied(class);
            }
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
    if !page.has_free() {
        page.collect_local();
    }
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
    // SAFETY: the caller's promise.
    match unsafe { page.free_local(block) } {
        Freed::Room => {}
        Freed::WasFull => heap.queue(page.class()).push_last(page),
        Freed::Empty => emptied_apart(cache, heap, page),
    }
}

/// A page that is not attached is all free: it becomes the bin's if it is the last of its class
/// with room, otherwise it goes.
fn emptied_apart<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>, page: &'static Page) {
    let class = page.class();
    if page.state() == State::Queued {
        heap.queue(class).remove(page);
    }
    let bin = cache.bin(class);
    let is_last = bin.head().is_null() && heap.queue(class).is_empty();
    match cache.mode(class) {
        _ if !is_last => heap.retire(page),
        Mode::Random => heap.keep_empty(page),
        Mode::Idle | Mode::Run(_) => {
            switch_to(cache, heap, page);
            emptied(cache, heap, class);
        }
    }
}

/// The attached page is all free: keeps it if it is the last of its class and may be kept.
pub(super) fn emptied<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>, class: usize) {
    let Mode::Run(page) = cache.mode(class) else {
        return;
    };
    let cycles = C::CONFIG.retire_cycles_for(C::block_bytes(class));
    if cycles == 0 || !heap.queue(class).is_empty() {
        retire_attached(cache, heap, class);
    } else {
        page.set_emptied_at(heap.cycle.get());
        cache.set_emptied(class);
    }
}

/// Lets go of pages that stayed all free for their class's retire cycles.
pub(super) fn retire_emptied<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    for class in cache.emptied.iter() {
        let Mode::Run(page) = cache.mode(class) else {
            continue;
        };
        let kept = heap.cycle.get().wrapping_sub(page.emptied_at());
        if cache.used_in_run(class) > 0 {
            cache.unset_emptied(class);
        } else if kept > C::CONFIG.retire_cycles_for(C::block_bytes(class)) {
            retire_attached(cache, heap, class);
        } else {
            cache.watch_again(class);
        }
    }
}

/// Lets go of the attached page, which is all free.
fn retire_attached<C: Choices>(cache: &Cache<C>, heap: &Heap<C>, class: usize) {
    if let Some(page) = cache.detach(class) {
        heap.retire(page);
    }
}

/// Frees a list of blocks of any pages, none of them attached, into their pages. Blocks of other
/// heaps are held back to be sent in runs.
pub(super) fn give_back<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    mut list: *mut Block,
) {
    while !list.is_null() {
        let block = list;
        // SAFETY: the list is this thread's.
        list = unsafe { Block::next(block) };
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
            let _ = unsafe { cache.foreign.add::<C>(page, block) };
        }
    }
}

/// Empties every bin into its pages, sends what is held of others', reads the mail. Pages that
/// are all free go. At the thread's end, when asked to purge, and when memory is short.
pub(crate) fn flush_all<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    let stay = heap.gate.enter();
    for class in 0..C::CLASSES {
        let bin = cache.bin(class);
        if let Mode::Random = cache.mode(class) {
            let list = bin.head();
            bin.set_idle();
            give_back(cache, heap, class, list);
        }
        // Also what was attached on the way.
        if let Some(page) = cache.detach(class) {
            let home = heap.collect(page);
            page.set_used(page.used() - home);
            heap.put_back_or_retire(page);
        }
    }
    let _ = cache.foreign.send::<C>();
    read_mail(cache, heap);
    heap.sweep_and_release();
    heap.check();
    drop(stay);
}

/// Asserts the invariants of a thread's bins and pages.
pub(crate) fn check<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    let stay = heap.gate.enter();
    heap.check();
    for class in 0..C::CLASSES {
        cache.check_bin(class);
    }
    drop(stay);
}
