//! The way of an allocation when its bin is empty: the attached page, the
//! queue, the spare page, a page that an ended thread left behind, a new page.

use core::ptr;

use super::bin::Mode;
use super::cache::Cache;
use super::declared::Declared;
use super::heap::Heap;
use super::pages::{read_mail, retire_emptied};
use super::sample;
use crate::config::choices::{Choices, Derived};
use crate::mem::block::{Block, BlockList};
use crate::mem::page::Page;

/// Pages that one refill in random mode visits at most.
const RANDOM_PAGES_MAX: u32 = 8;
/// A cache of fewer blocks is not worth the random mode.
const RANDOM_BLOCKS_MIN: u32 = 4;

/// Fills the class's empty bin and takes a block out. Null when there is no memory.
pub(crate) fn refill<D: Declared>(
    cache: &Cache<D>,
    heap: &'static Heap<D>,
    class: usize,
) -> *mut Block {
    let stay = heap.gate.enter();
    heap.cycle.set(heap.cycle.get().wrapping_add(1));
    if D::COUNTS {
        heap.counters.refills.add(1);
    }
    heap.foreign.send::<D>();
    if !heap.owner.mail.is_empty() {
        read_mail(heap);
    }
    retire_emptied(cache, heap);
    if !reload(cache, heap, class)
        && let Some(page) = next_page(heap, class)
    {
        fill_from(cache, heap, class, page);
    }
    let bin = cache.bin(class);
    if D::SAMPLE > 0 && !bin.is_empty() && heap.is_sample_due(bin.len()) {
        let block = sample::allocate::<D>(class);
        if !block.is_null() {
            if D::COUNTS {
                heap.counters.sampled.add(1);
            }
            return block;
        }
    }
    let block = match bin.is_empty() {
        true => ptr::null_mut(),
        // SAFETY: the cache is the calling thread's.
        false => unsafe { bin.pop::<D>(class) },
    };
    drop(stay);
    block
}

/// Finds more blocks in the page that the empty bin is attached to; otherwise lets go of it.
fn reload<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>, class: usize) -> bool {
    let bin = cache.bin(class);
    let Mode::Run(page) = cache.mode(class) else {
        return false;
    };
    heap.collect(page);
    if page.has_free() || heap.extend(page) {
        let (head, count) = page.take_free();
        bin.set_list(head, count);
        return true;
    }
    if let Some(page) = cache.detach(class) {
        heap.put_back(page);
    }
    false
}

fn next_page<D: Declared>(heap: &'static Heap<D>, class: usize) -> Option<&'static Page> {
    heap.take_queued(class)
        .or_else(|| heap.take_spare(class))
        .or_else(|| D::shared().adopt(heap, class))
        .or_else(|| heap.make_page(class))
}

/// Fills the idle bin, or one that is in random mode and empty, from a page in no queue.
fn fill_from<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    page: &'static Page,
) {
    if is_random(cache, class, page) {
        fill_random(cache, heap, class, page);
    } else {
        cache.attach(class, page);
    }
}

/// Whether the bin should list blocks of any pages: the class is fragmented, so that a page
/// yields little. Entered under a quarter of a page's blocks, left at three quarters. Where blocks wait,
/// always: they come back of any pages.
fn is_random<C: Choices>(cache: &Cache<C>, class: usize, page: &Page) -> bool {
    if !C::CACHES || C::CONFIG.cache_blocks_for(C::block_bytes(class)) < RANDOM_BLOCKS_MIN {
        return false;
    }
    if C::QUARANTINE > 0 {
        return true;
    }
    let (room, all) = (page.reserved() - page.used(), page.reserved());
    match cache.mode(class) {
        Mode::Random => room < all - all / 4,
        Mode::Idle | Mode::Run(_) => room < all / 4,
    }
}

/// Lists blocks of `page` and of some more.
fn fill_random<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    page: &'static Page,
) {
    let most = C::CONFIG.cache_blocks_for(C::block_bytes(class));
    let mut list = take_from(heap, page, BlockList::EMPTY, most / 2);
    let mut last = page;
    for _ in 1..RANDOM_PAGES_MAX {
        // Where every class is in random mode, one that needs few blocks would have a fresh page threaded further.
        let is_fresh = C::QUARANTINE > 0 && last.unthreaded() > 0;
        if list.count >= most / 2 || is_fresh {
            break;
        }
        let Some(page) = heap.take_queued(class) else {
            break;
        };
        list = take_from(heap, page, list, most / 2);
        last = page;
    }
    cache.bin(class).set_random(list.head, list.count, most);
}

/// Moves blocks of `page` in front of `list`, up to `most` in all, and puts the page back.
fn take_from<C: Choices>(
    heap: &Heap<C>,
    page: &'static Page,
    list: BlockList,
    most: u32,
) -> BlockList {
    let taken = page.take_some::<C>(most - list.count);
    heap.put_back(page);
    // SAFETY: both lists are this thread's.
    unsafe { Block::set_next::<C>(taken.tail, list.head) };
    BlockList {
        head: taken.head,
        tail: if list.count == 0 {
            taken.tail
        } else {
            list.tail
        },
        count: taken.count + list.count,
    }
}
