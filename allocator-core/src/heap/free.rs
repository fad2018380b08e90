//! The way of a free that leaves the fast path: the block belongs to another
//! page than the bin's, or its page is all free, or the cache is full.

use core::ptr::NonNull;

use super::bin::{Mode, Push};
use super::cache::Cache;
use super::declared::{Declared, Derived};
use super::foreign::send_home;
use super::heap::{Heap, release_page};
use super::refill;
use crate::mem::block::{Block, BlockList};
use crate::mem::page::{Freed, Page, State};

/// The page of a block of `class`.
///
/// # Safety
/// - `block` is in use, of type `D` and of that class.
#[inline(always)]
pub(crate) unsafe fn page_of<D: Declared>(block: *mut u8, class: usize) -> &'static Page {
    let start = block.map_addr(|address| address & !(D::page_bytes(class) - 1));
    // SAFETY: pages start at multiples of their size (claim_page()).
    unsafe { Page::at(start) }
}

/// What is wrong with freeing `block` as one of `class` (`None`: a large one) of type `D`, as far
/// as the header of its slice tells; for debug builds.
///
/// # Safety
/// - `block` lies in a page or is the start of a large block, of any declared type.
pub(crate) unsafe fn mismatch<D: Declared>(
    block: *mut u8,
    class: Option<usize>,
) -> Option<&'static str> {
    let start = match class {
        Some(class) => block.map_addr(|address| address & !(D::page_bytes(class) - 1)),
        None => block,
    };
    // Another type's pages may be smaller than ours: then masking can lead to where no page is.
    // SAFETY: in the same chunk as the block.
    let page = unsafe { Page::find(start) };
    if page.is_none_or(|page| page.type_id() != D::shared().type_id()) {
        return Some("freed a block that another allocator type allocated");
    }
    let page = page?;
    match class {
        Some(class) if page.state() == State::Large || page.class() != class => {
            Some("freed a block with a layout of another size class")
        }
        Some(class) if !(block.addr() - start.addr()).is_multiple_of(D::block_bytes(class)) => {
            Some("freed an address inside a block")
        }
        None if page.state() != State::Large => {
            Some("freed a block with a layout of another size class")
        }
        _ => None,
    }
}

/// Frees a block whose bin did not take it ([`Push::Elsewhere`]).
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
pub(crate) unsafe fn free_elsewhere<D: Declared>(
    cache: &Cache<D>,
    heap: &'static Heap<D>,
    class: usize,
    block: NonNull<u8>,
) {
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<D>(block.as_ptr(), class) };
    if !page.is_owned_by(&heap.owner) {
        if D::COUNTS {
            heap.counters.remote_frees.add(1);
        }
        // SAFETY: given back by its user; the page is not this thread's.
        unsafe { cache.foreign.add::<D>(page, block.as_ptr().cast()) };
        return;
    }
    let stay = heap.gate.enter();
    if cache.bin(class).again_elsewhere(page) {
        switch_to(cache, heap, class, page);
        // SAFETY: the caller's promise.
        let push = unsafe { cache.bin(class).push(block.as_ptr()) };
        debug_assert!(
            push != Push::Elsewhere,
            "the bin is attached to the block's page"
        );
        if push == Push::AtLimit {
            emptied(cache, heap, class);
        }
    } else {
        // SAFETY: given back by its user; the page is ours and not attached, or the bin had
        // taken the block.
        match unsafe { page.free_local(block.as_ptr().cast()) } {
            Freed::Room => {}
            Freed::WasFull => heap.queue(class).push_last(page),
            Freed::Empty => emptied_apart(cache, heap, page),
        }
    }
    drop(stay);
}

/// Attaches the bin, not in random mode, to a page of the heap that is not attached.
fn switch_to<D: Declared>(cache: &Cache<D>, heap: &Heap<D>, class: usize, page: &'static Page) {
    if page.state() == State::Queued {
        heap.queue(class).remove(page);
        if page.used() == 0 {
            heap.empty_pages.set(heap.empty_pages.get() - 1);
        }
    }
    if let Some(before) = cache.detach(class) {
        put_back_or_retire(heap, before);
    }
    if !page.has_free() {
        page.collect_local();
    }
    cache.attach(class, page);
}

fn put_back_or_retire<D: Declared>(heap: &Heap<D>, page: &'static Page) {
    if page.used() > 0 {
        heap.put_back(page);
    } else if let Some(page) = heap.retire(page) {
        release_page::<D>(page, D::CONFIG.purge);
    }
}

/// After [`Push::AtLimit`]: the bin's page is all free, or its list is full.
pub(crate) fn at_limit<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>, class: usize) {
    let stay = heap.gate.enter();
    match cache.bin(class).mode() {
        Mode::Random => flush(cache, heap, class),
        Mode::Run(_) => emptied(cache, heap, class),
        Mode::Idle => debug_assert!(false, "an idle bin takes no block"),
    }
    drop(stay);
}

/// The attached page is all free: keeps it if it is the last of its class and may be kept.
fn emptied<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>, class: usize) {
    let Mode::Run(page) = cache.bin(class).mode() else {
        return;
    };
    let cycles = D::CONFIG.retire_cycles_for(D::block_bytes(class));
    if cycles == 0 || !heap.queue(class).is_empty() {
        retire_attached(cache, heap, class);
    } else {
        page.set_emptied_at(heap.cycle.get());
        cache.set_emptied(class, true);
    }
}

/// Lets go of the attached page, which is all free.
pub(super) fn retire_attached<D: Declared>(cache: &Cache<D>, heap: &Heap<D>, class: usize) {
    if let Some(page) = cache.detach(class).and_then(|page| heap.retire(page)) {
        release_page::<D>(page, D::CONFIG.purge);
    }
}

/// A page that is not attached is all free: it becomes the bin's if it is the last of its class
/// with room, otherwise it goes.
fn emptied_apart<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>, page: &'static Page) {
    let class = page.class();
    let queue = heap.queue(class);
    if page.state() == State::Queued {
        queue.remove(page);
    }
    let bin = cache.bin(class);
    let is_last = bin.head().is_null() && queue.is_empty();
    if is_last && !matches!(bin.mode(), Mode::Random) {
        switch_to(cache, heap, class, page);
        emptied(cache, heap, class);
    } else if is_last {
        heap.keep_empty(page);
    } else if let Some(page) = heap.retire(page) {
        release_page::<D>(page, D::CONFIG.purge);
    }
}

/// Gives all but the youngest quarter of a full random list back to its pages.
fn flush<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>, class: usize) {
    if D::COUNTS {
        heap.counters.flushes.add(1);
    }
    let bin = cache.bin(class);
    let most = D::CONFIG.cache_blocks_for(D::block_bytes(class));
    let keep = most / 4;
    let mut last = bin.head();
    for _ in 1..keep {
        // SAFETY: the list is this thread's and `most` long.
        last = unsafe { Block::next(last) };
    }
    // SAFETY: as above.
    let rest = unsafe { Block::next(last) };
    // SAFETY: as above.
    unsafe { Block::set_next(last, core::ptr::null_mut()) };
    bin.set_random(bin.head(), keep, most);
    give_back(cache, heap, class, rest);
    if heap.owner.has_mail() {
        refill::read_mail(cache, heap);
    }
}

/// Frees a list of blocks of any pages into their pages.
fn give_back<D: Declared>(
    cache: &Cache<D>,
    heap: &'static Heap<D>,
    class: usize,
    mut list: *mut Block,
) {
    while !list.is_null() {
        let block = list;
        // SAFETY: the list is this thread's.
        list = unsafe { Block::next(block) };
        // SAFETY: a block of this class.
        let page = unsafe { page_of::<D>(block.cast(), class) };
        if !page.is_owned_by(&heap.owner) {
            if D::COUNTS {
                heap.counters.remote_frees.add(1);
            }
            // SAFETY: nobody else knows the block; the page is not ours.
            unsafe { cache.foreign.add::<D>(page, block) };
            continue;
        }
        // SAFETY: nobody else knows the block; no page is attached in random mode.
        match unsafe { page.free_local(block) } {
            Freed::Room => {}
            Freed::WasFull => heap.queue(class).push_last(page),
            Freed::Empty => emptied_apart(cache, heap, page),
        }
    }
}

/// Frees a block of any page for a thread that has no heap.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
pub(crate) unsafe fn free_without_heap<D: Declared>(class: usize, block: NonNull<u8>) {
    if D::COUNTS {
        D::shared().orphans().counters.remote_frees.add_shared();
    }
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<D>(block.as_ptr(), class) };
    let mut list = BlockList::EMPTY;
    // SAFETY: given back by its user.
    unsafe { list.push(block.as_ptr().cast()) };
    // SAFETY: as above.
    unsafe { send_home::<D>(page, list) };
}

/// Empties every bin into its pages and sends what is held of others'. Pages that are all free
/// go. At the thread's end, and when asked to purge.
pub(crate) fn flush_all<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>) {
    let stay = heap.gate.enter();
    for class in 0..D::CLASSES {
        let bin = cache.bin(class);
        match bin.mode() {
            Mode::Idle => {}
            Mode::Random => {
                let list = bin.head();
                bin.set_idle();
                give_back(cache, heap, class, list);
                // The last page may have been attached on the way.
                detach(cache, heap, class);
            }
            Mode::Run(_) => detach(cache, heap, class),
        }
    }
    cache.foreign.send::<D>();
    refill::read_mail(cache, heap);
    heap.sweep(&mut |page| release_page::<D>(page, D::CONFIG.purge));
    heap.check();
    drop(stay);
}

fn detach<D: Declared>(cache: &Cache<D>, heap: &Heap<D>, class: usize) {
    if let Some(page) = cache.detach(class) {
        let home = heap.collect(page);
        page.set_used(page.used() - home);
        put_back_or_retire(heap, page);
    }
}

/// Asserts the invariants of a thread's bins and pages.
pub(crate) fn check<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>) {
    let stay = heap.gate.enter();
    heap.check();
    for class in 0..D::CLASSES {
        cache.check_bin(class);
    }
    drop(stay);
}
