//! The way of an allocation when its bin is empty: the attached page, the
//! queue, a page that an ended thread left behind, a new page.

use super::bin::Mode;
use super::cache::Cache;
use super::declared::{Declared, Derived};
use super::free;
use super::heap::{Heap, release_page};
use crate::mem::block::{Block, BlockList};
use crate::mem::page::{Page, State};

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
    cache.foreign.send::<D>();
    if heap.owner.has_mail() {
        read_mail(cache, heap);
    }
    retire_emptied(cache, heap);
    let bin = cache.bin(class);
    if bin.head().is_null() && !reload(cache, heap, class) {
        attach_next(cache, heap, class);
    }
    // SAFETY: the cache is the calling thread's.
    let block = unsafe { bin.pop() };
    drop(stay);
    block
}

/// Reads the owner's mail: brings home what other threads freed into its pages.
pub(super) fn read_mail<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>) {
    for page in heap.owner.take_mail() {
        if !page.is_owned_by(&heap.owner) {
            // It changed hands between the send and now.
            page.owner().send(page);
        } else if page.state() == State::Attached {
            let home = page.take_thread_free(true);
            let bin = cache.bin(page.class());
            bin.set_n(bin.n() + home.cast_signed());
            if cache.used_in_run(page.class()) == 0 && !cache.is_emptied(page.class()) {
                // Kept or not is decided when it is next in the way.
                cache.set_emptied(page.class(), true);
                page.set_emptied_at(heap.cycle.get());
            }
        } else if let Some(page) = heap.receive(page) {
            release_page::<D>(page, D::CONFIG.purge);
        }
    }
}

/// Lets go of pages that stayed all free for their class's retire cycles.
fn retire_emptied<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>) {
    for class in cache.emptied_classes() {
        let Mode::Run(page) = cache.bin(class).mode() else {
            continue;
        };
        if cache.used_in_run(class) > 0 {
            cache.set_emptied(class, false);
            continue;
        }
        let kept = heap.cycle.get().wrapping_sub(page.emptied_at());
        if kept > D::CONFIG.retire_cycles_for(D::block_bytes(class)) {
            free::retire_attached(cache, heap, class);
        }
    }
}

/// Finds more blocks in the page that the empty bin is attached to; otherwise lets go of it.
fn reload<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>, class: usize) -> bool {
    let bin = cache.bin(class);
    let Mode::Run(page) = bin.mode() else {
        return false;
    };
    let home = heap.collect(page);
    bin.set_n(bin.n() + home.cast_signed());
    if page.has_free() || heap.extend(page) {
        bin.set_head(page.take_free());
        return true;
    }
    let page = cache.detach(class);
    debug_assert!(page.is_some_and(|page| page.used() == page.reserved()));
    false
}

/// Fills the idle bin, or one that was in random mode, from another page.
fn attach_next<D: Declared>(cache: &Cache<D>, heap: &'static Heap<D>, class: usize) {
    let Some(page) = next_page(heap, class) else {
        return;
    };
    if is_random(cache, class, page) {
        fill_random(cache, heap, class, page);
    } else {
        cache.attach(class, page);
    }
}

fn next_page<D: Declared>(heap: &'static Heap<D>, class: usize) -> Option<&'static Page> {
    heap.take_queued(class)
        .or_else(|| D::shared().adopt(heap, class))
        .or_else(|| heap.make_page(class))
}

/// Whether the bin should list blocks of any pages: the class is fragmented, so that a page
/// yields little. Entered under a quarter of a page's blocks, left at three quarters.
fn is_random<D: Declared>(cache: &Cache<D>, class: usize, page: &Page) -> bool {
    if D::CONFIG.cache_blocks_for(D::block_bytes(class)) < RANDOM_BLOCKS_MIN {
        return false;
    }
    let (room, all) = (page.reserved() - page.used(), page.reserved());
    match cache.bin(class).mode() {
        Mode::Random => room < all - all / 4,
        Mode::Idle | Mode::Run(_) => room < all / 4,
    }
}

/// Lists blocks of `page` and of some more.
fn fill_random<D: Declared>(
    cache: &Cache<D>,
    heap: &'static Heap<D>,
    class: usize,
    page: &'static Page,
) {
    let most = D::CONFIG.cache_blocks_for(D::block_bytes(class));
    let mut list = take_from(heap, page, BlockList::EMPTY, most / 2);
    for _ in 1..RANDOM_PAGES_MAX {
        if list.count >= most / 2 {
            break;
        }
        let Some(page) = heap.take_queued(class) else {
            break;
        };
        list = take_from(heap, page, list, most / 2);
    }
    cache.bin(class).set_random(list.head, list.count, most);
}

/// Moves blocks of `page` in front of `list`, up to `most` in all, and puts the page back.
fn take_from<D: Declared>(
    heap: &Heap<D>,
    page: &'static Page,
    list: BlockList,
    most: u32,
) -> BlockList {
    let taken = page.take_some(most - list.count);
    heap.put_back(page);
    // SAFETY: both lists are this thread's.
    unsafe { Block::set_next(taken.tail, list.head) };
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
