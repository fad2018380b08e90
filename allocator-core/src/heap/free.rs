//! The way of a free that leaves the fast path: the block belongs to another
//! page than the bin's, or its page is all free, or the cache is full.

use core::ptr::NonNull;

use super::bin::{Mode, Push};
use super::cache::Cache;
use super::foreign::{Sent, send_home};
use super::heap::Heap;
use super::pages::{emptied, free_apart, give_back, page_of, read_mail, switch_to};
use crate::config::choices::{Choices, Derived};
use crate::mem::block::{Block, BlockList};
use crate::mem::page::{Page, State};

/// What debug builds say of a free through the wrong type.
pub(super) const OTHER_TYPE: &str = "freed a block that another allocator type allocated";
/// What debug builds say of a free with the wrong layout.
pub(super) const OTHER_CLASS: &str = "freed a block with a layout of another size class";

/// Frees a block whose bin did not take it ([`Push::Elsewhere`]). Whether that sent blocks to
/// another thread's page.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
pub(crate) unsafe fn free_elsewhere<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> Sent {
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<C>(block.as_ptr(), class) };
    if !page.is_owned_by(&heap.owner) {
        if C::COUNTS {
            heap.counters.remote_frees.add(1);
        }
        // SAFETY: given back by its user; the page is not this thread's.
        return unsafe { cache.foreign.add::<C>(page, block.as_ptr().cast()) };
    }
    let stay = heap.gate.enter();
    if cache.bin(class).wants_to_switch(page) {
        switch_to(cache, heap, page);
        // SAFETY: the caller's promise.
        let push = unsafe { cache.bin(class).push(block.as_ptr()) };
        debug_assert!(push != Push::Elsewhere, "attached to the block's page");
        if push == Push::AtLimit {
            emptied(cache, heap, class);
        }
    } else {
        // SAFETY: given back by its user. The page is ours and not attached, or the bin would
        // have taken the block.
        unsafe { free_apart(cache, heap, page, block.as_ptr().cast()) };
    }
    drop(stay);
    Sent::No
}

/// After [`Push::AtLimit`]: the bin's page is all free, or its list is full.
pub(crate) fn at_limit<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>, class: usize) {
    let stay = heap.gate.enter();
    match cache.mode(class) {
        Mode::Random => flush(cache, heap, class),
        Mode::Run(_) => emptied(cache, heap, class),
        Mode::Idle => debug_assert!(false, "an idle bin takes no block"),
    }
    drop(stay);
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
        last = unsafe { Block::next(last) };
    }
    // SAFETY: as above.
    let rest = unsafe { Block::next(last) };
    // SAFETY: as above.
    unsafe { Block::set_next(last, core::ptr::null_mut()) };
    bin.set_random(bin.head(), keep, most);
    give_back(cache, heap, class, rest);
    if !heap.owner.mail.is_empty() {
        read_mail(cache, heap);
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
    unsafe { list.push(block.as_ptr().cast()) };
    // SAFETY: as above.
    unsafe { send_home::<C>(page, list) };
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
