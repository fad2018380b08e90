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
use crate::mem::page::Page;

/// Frees a block whose bin did not take it, if it takes only a link: one of another page of the heap, or one more to
/// be sent to another heap. Whether it did.
///
/// What is freed at random mostly goes this way. There is no call on it, and little of anything: so the processor
/// reaches the next frees while it waits for the memory of this one.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
#[inline(always)]
#[must_use]
pub(crate) unsafe fn free_at_once<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> bool {
    let Some(_stay) = heap.gate.enter_unmet() else {
        return false;
    };
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<C>(block.as_ptr(), class) };
    let block = block.as_ptr().cast();
    if heap.foreign.holds::<C>(page) {
        // SAFETY: given back by its user.
        let is_added = unsafe { heap.foreign.add_before_last::<C>(page, block) };
        if C::COUNTS && is_added {
            heap.counters.remote_frees.add(1);
        }
        return is_added;
    }
    let bin = cache.bin(class);
    if !page.is_owned_by(&heap.owner) || !bin.is_attached() || !bin.was_elsewhere(page) {
        return false;
    }
    // SAFETY: given back by its user. The page is ours and not attached: the bin would have taken the block, or what it
    // declined was looked at before and has ended the process.
    let is_freed = unsafe { page.free_local_in_queue::<C>(block) };
    if is_freed {
        bin.note_elsewhere(page);
    }
    is_freed
}

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
    let _stay = heap.gate.enter();
    // SAFETY: the caller's promise.
    unsafe { free_inside(cache, heap, class, block) }
}

/// The same inside the gate.
///
/// # Safety
/// - as [`free_elsewhere`].
#[inline(always)]
unsafe fn free_inside<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> Sent {
    // SAFETY: the caller's promise.
    let page = unsafe { page_of::<C>(block.as_ptr(), class) };
    // SAFETY: given back by its user.
    let held = unsafe { heap.foreign.add_to_held::<C>(page, block.as_ptr().cast()) };
    let sent = match held {
        Some(sent) => sent,
        None if page.is_owned_by(&heap.owner) => {
            // SAFETY: the caller's promise; the page is ours, and the block not of the bin's.
            unsafe { free_own(cache, heap, class, page, block) };
            return Sent::No;
        }
        // SAFETY: given back by its user; the page is not this thread's.
        None => unsafe { heap.foreign.begin::<C>(page, class, block.as_ptr().cast()) },
    };
    if C::COUNTS {
        heap.counters.remote_frees.add(1);
    }
    sent
}

/// Frees a block of a type with a quarantine when the young generation has no room for it: the old one goes on,
/// and the block begins another. Whether that sent blocks to another thread's page.
///
/// # Safety
/// - `block` is a block of `class` that its user gave back.
pub(crate) unsafe fn free_later<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> Sent {
    let _stay = heap.gate.enter();
    let mut sent = Sent::No;
    let has_room = heap.quarantine.make_room(class, |class, list| {
        // SAFETY: the list is this thread's from now on.
        sent |= unsafe { free_list(cache, heap, class, list) };
    });
    if !has_room {
        // SAFETY: the caller's promise.
        return unsafe { free_now(cache, heap, class, block) };
    }
    // SAFETY: given back by its user, and there is room.
    unsafe { heap.quarantine.add(class, block.as_ptr().cast()) };
    sent
}

/// Frees blocks that have waited: into their bin as a whole, if that lists blocks of any pages and has room.
/// Inside the gate. Whether that sent blocks to another thread's page.
///
/// # Safety
/// - the list is of one block at least, of blocks of `class` that their users gave back, and the caller's.
unsafe fn free_list<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    list: BlockList,
) -> Sent {
    let bin = cache.bin(class);
    // SAFETY: the caller's promise.
    if C::CACHES && unsafe { bin.put_list::<C>(class, list) } {
        return Sent::No;
    }
    let mut sent = Sent::No;
    if !bin.is_attached() {
        if C::COUNTS && !bin.is_empty() {
            heap.counters.flushes.add(1);
        }
        if bin.stays_unused() {
            // The thread frees and does not allocate: its bins would come to hold blocks of many pages.
            let unused = bin.head();
            bin.set_idle();
            sent |= give_back(cache, heap, class, unused);
        }
        sent |= give_back_and_receive(cache, heap, class, list.head);
        return sent;
    }
    let mut rest = list.head;
    while let Some(block) = NonNull::new(rest.cast::<u8>()) {
        // SAFETY: the list is the caller's.
        rest = unsafe { Block::next::<C>(rest, C::block_bytes(class)) };
        // SAFETY: as above.
        sent |= unsafe { free_now(cache, heap, class, block) };
    }
    sent
}

/// Frees a block of a type with a quarantine that does not wait. Inside the gate. Whether that sent blocks to
/// another thread's page.
///
/// # Safety
/// - as [`free_later`].
#[inline(always)]
unsafe fn free_now<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    block: NonNull<u8>,
) -> Sent {
    let bin = cache.bin(class);
    if bin.is_of_run(block.as_ptr()) || C::CACHES && bin.has_random_room() {
        // SAFETY: the caller's promise, and the bin takes it.
        unsafe { bin.put::<C>(block.as_ptr()) };
        return Sent::No;
    }
    // SAFETY: the caller's promise, and the bin does not take it.
    unsafe { free_inside(cache, heap, class, block) }
}

/// Sends all that waits in a heap home, as another thread's frees go: for a visitor.
pub(super) fn send_waiting<C: Choices>(heap: &Heap<C>) {
    heap.quarantine.release_all(|class, list| {
        let mut rest = list.head;
        while let Some(block) = NonNull::new(rest.cast()) {
            // SAFETY: the list is the visitor's.
            rest = unsafe { Block::next::<C>(rest, C::block_bytes(class)) };
            // SAFETY: its user gave it back, and nobody else knows it.
            unsafe { free_without_heap::<C>(class, block) };
        }
    });
}

/// [`pages::empty_bins`], of what waits as well.
pub(crate) fn flush_all<C: Choices>(cache: &Cache<C>, heap: &'static Heap<C>) {
    if C::QUARANTINE > 0 {
        let _stay = heap.gate.enter();
        heap.quarantine.release_all(|class, list| {
            // SAFETY: the list is this thread's from now on.
            let _ = unsafe { free_list(cache, heap, class, list) };
        });
    }
    pages::empty_bins(cache, heap);
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
    let _ = give_back_and_receive(cache, heap, class, rest);
}

/// [`give_back`], and what others gave back is received: a thread that only frees may do nothing else.
fn give_back_and_receive<C: Choices>(
    cache: &Cache<C>,
    heap: &'static Heap<C>,
    class: usize,
    list: *mut Block,
) -> Sent {
    let sent = give_back(cache, heap, class, list);
    if !heap.owner.mail.is_empty() {
        read_mail(heap);
    }
    sent
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
