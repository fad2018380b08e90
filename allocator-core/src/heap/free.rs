//! The way of a free that leaves the fast path: the block belongs to another
//! page than the bin's, or the bin is in random mode.

use core::ptr::NonNull;

use super::bin::Mode;
use super::cache::Cache;
use super::foreign::{Sent, send_home};
use super::heap::Heap;
use super::pages::{self, free_apart, give_back, page_of, read_mail, switch_to};
use crate::config::choices::{Choices, Derived};
use crate::mem::block::{Block, BlockList};
use crate::mem::page::{Page, State};

/// What debug builds say of a free through the wrong type.
pub(super) const OTHER_TYPE: &str = "freed a block that another allocator type allocated";
/// What debug builds say of a free with the wrong layout.
pub(super) const OTHER_CLASS: &str = "freed a block with a layout of another size class";

/// Frees a block whose bin did not take it. Whether that sent blocks to another thread's page.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
#[inline]
pub(crate) unsafe fn free_elsewhere<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> Sent {
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<C>(block.as_ptr(), class) };
    let stay = heap.gate.enter();
    // SAFETY: given back by its user.
    let held = unsafe { heap.foreign.add_to_held::<C>(page, block.as_ptr().cast()) };
    let sent = match held {
        Some(sent) => sent,
        None if page.is_owned_by(&heap.owner) => {
            // SAFETY: the caller's promise; the page is ours, and the block not of the bin's.
            unsafe { free_own(cache, heap, class, page, block) };
            drop(stay);
            return Sent::No;
        }
        // SAFETY: given back by its user; the page is not this thread's.
        None => unsafe { heap.foreign.begin::<C>(page, class, block.as_ptr().cast()) },
    };
    if C::COUNTS {
        heap.counters.remote_frees.add(1);
    }
    drop(stay);
    sent
}

/// Frees a block of a type with a quarantine: it waits there, and what has waited long enough goes on. Whether
/// that sent blocks to another thread's page.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
pub(crate) unsafe fn free_later<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> Sent {
    let stay = heap.gate.enter();
    // SAFETY: the caller's promise.
    unsafe { heap.quarantine.add::<C>(class, block.as_ptr().cast()) };
    drop(stay);
    free_waiting(cache, heap, C::QUARANTINE)
}

/// Frees what has waited longest until what waits takes `most` bytes at most.
fn free_waiting<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>, most: usize) -> Sent {
    let take = || {
        let _stay = heap.gate.enter();
        heap.quarantine.take_over::<C>(most)
    };
    let mut sent = Sent::No;
    while let Some((class, block)) = take() {
        // SAFETY: its user gave it back, and nobody else knows it.
        let is_taken = unsafe { cache.bin(class).push::<C>(block) };
        if let Some(block) = NonNull::new(block).filter(|_| !is_taken) {
            // SAFETY: as above, and the bin did not take it.
            let sent_now = unsafe { free_elsewhere(cache, heap, class, block) };
            if sent_now == Sent::Yes {
                sent = Sent::Yes;
            }
        }
    }
    sent
}

/// Sends all that waits in a heap home, as another thread's frees go: for a visitor.
pub(super) fn send_waiting<C: Choices>(heap: &Heap<C>) {
    while let Some((class, block)) = heap.quarantine.take_over::<C>(0) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: its user gave it back, and nobody else knows it.
            unsafe { free_without_heap::<C>(class, block) };
        }
    }
}

/// [`pages::flush_all`], of what waits as well.
pub(crate) fn flush_all<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    if C::QUARANTINE > 0 {
        let _ = free_waiting(cache, heap, 0);
    }
    pages::flush_all(cache, heap);
}

/// Frees a block of a page of the heap that the bin of its class did not take: it lists blocks of
/// any pages and is full, or it is attached to another page. Inside the gate.
///
/// # Safety
/// - `block` is a block of `page` that its user gave back, and the bin is not attached to `page`.
#[inline]
unsafe fn free_own<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    page: &'static Page,
    block: NonNull<u8>,
) {
    let bin = cache.bin(class);
    if let Mode::Random = cache.mode(class) {
        // Where blocks are checked, there may be room: the bin declined for want of knowledge.
        // SAFETY: the caller's promise.
        if (C::PAGES || C::LINKS) && unsafe { bin.push::<C>(block.as_ptr()) } {
            return;
        }
        flush(cache, heap, class);
        // SAFETY: the caller's promise.
        let pushed = unsafe { bin.push::<C>(block.as_ptr()) };
        debug_assert!(pushed, "there is room after a flush");
    } else if bin.wants_to_switch(page) {
        switch_to(cache, heap, page);
        // SAFETY: the caller's promise.
        let pushed = unsafe { bin.push::<C>(block.as_ptr()) };
        debug_assert!(pushed, "attached to the block's page");
    } else {
        // SAFETY: given back by its user. The page is ours and not attached, or the bin would
        // have taken the block.
        unsafe { free_apart(cache, heap, page, block.as_ptr().cast()) };
    }
}

/// Gives all but the youngest quarter of a full random list back to its pages.
fn flush<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>, class: usize) {
    if C::COUNTS {
        heap.counters.flushes.add(1);
    }
    let bin = cache.bin(class);
    let most = C::CONFIG.cache_blocks_for(C::block_bytes(class));
    let keep = most / 4;
    let mut last = bin.head();
    for _ in 1..keep {
        // SAFETY: the list is this thread's and `most` long.
        last = unsafe { Block::next::<C>(last, C::block_bytes(class)) };
    }
    // SAFETY: as above.
    let rest = unsafe { Block::next::<C>(last, C::block_bytes(class)) };
    // SAFETY: as above.
    unsafe { Block::set_next::<C>(last, core::ptr::null_mut()) };
    bin.set_random(bin.head(), keep, most);
    give_back(cache, heap, class, rest);
    if !heap.owner.mail.is_empty() {
        read_mail(heap);
    }
}

/// Frees a block of any page for a thread that has no heap.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
pub(crate) unsafe fn free_without_heap<C: Choices>(class: usize, block: NonNull<u8>) {
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<C>(block.as_ptr(), class) };
    let mut list = BlockList::EMPTY;
    // SAFETY: given back by its user.
    unsafe { list.push::<C>(block.as_ptr().cast()) };
    // SAFETY: as above.
    unsafe { send_home::<C>(page, list, C::page_bytes(class)) };
}

/// What is wrong with freeing `block` as one of `class` (`None`: a large one) of the type that `type_id` identifies, as far
/// as the header of its slice tells; for debug builds.
///
/// # Safety
/// - `block` lies in a page or is the start of a large block, of any declared type.
pub(crate) unsafe fn mismatch<C: Choices>(
    block: *mut u8,
    class: Option<usize>,
    type_id: *const (),
) -> Option<&'static str> {
    let start = match class {
        Some(class) => block.map_addr(|address| address & !(C::page_bytes(class) - 1)),
        None => block,
    };
    // Another type's pages may be smaller than ours: then masking can lead to where no page is.
    // SAFETY: in the same chunk as the block.
    let page = unsafe { Page::find(start) };
    if page.is_none_or(|page| page.type_id() != type_id) {
        return Some(OTHER_TYPE);
    }
    let page = page?;
    match class {
        Some(class) if page.state() == State::Large || page.class() != class => Some(OTHER_CLASS),
        Some(class) if !(block.addr() - start.addr()).is_multiple_of(C::block_bytes(class)) => {
            Some("freed an address inside a block")
        }
        None if page.state() != State::Large => Some(OTHER_CLASS),
        _ => None,
    }
}
