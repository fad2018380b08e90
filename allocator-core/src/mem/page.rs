//! A page: a run of equal blocks, described by a header that lies apart from
//! the blocks, in the first slice of the chunk.
//!
//! The three lists: `free` (allocatable), `local_free` (freed by the owner,
//! not yet allocatable), `thread_free` (freed by others, atomic). While a page
//! is attached to a bin, the bin holds its `free` list.
//!
//! 1. `free_count + local_count + hole_blocks <= capacity <= reserved`, and
//!    `reserved * block_bytes` fits the page. What of `capacity` is on neither list nor in a hole
//!    is used.
//! 2. Every block below `capacity` is used, on exactly one of the three lists, or in a hole (see
//!    [`holes`]); blocks on `thread_free` and in a thread's bins count as used.
//! 3. Blocks from `capacity` on were never handed out since the page was made.
//! 4. A page is `Attached` to one bin, `Queued` in its owner's queue of its class because it has
//!    room, its owner's `Spare` of its class, or `Full` and in neither; a large block's page is
//!    `Large` and has no lists.
//! 5. Only the owner touches the first cache line (and, while the owner is away, a visitor who is
//!    inside its gate); the second is shared.
//! 6. `free` and `local_free` end with the page's own end, an address in the page that no block
//!    has: whether a block is of the same page as the first of a list can be told even when the
//!    list is empty.

mod fresh;
mod holes;
pub(crate) mod lists;
mod place;
mod state;
pub(crate) mod tail;

use core::ptr;

pub(crate) use state::State;

use super::block::{Block, BlockList};
use super::chunk;
use super::mailbox::{Letter, Mailbox};
use super::thread_free::{Pushed, Taken, ThreadFree};
use crate::base::sync::{AtomicPtr, Cell, Ordering};
use crate::config::choices::Choices;

/// What a local free did to its page.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freed {
    /// The page had room before and has more now.
    Room,
    /// The page was full and has room now.
    WasFull,
    /// All its blocks are free.
    Empty,
}

/// Header of a page, two cache lines.
#[repr(C, align(128))]
pub(crate) struct Page {
    /// Allocatable blocks. Empty while attached, but for what was collected since.
    free: Cell<*mut Block>,
    /// Blocks freed by the owner, not yet allocatable.
    local_free: Cell<*mut Block>,
    /// First block.
    start: Cell<*mut u8>,
    /// Bytes per block.
    block_bytes: Cell<u32>,
    /// Blocks that fit.
    reserved: Cell<u32>,
    /// Blocks threaded so far.
    capacity: Cell<u32>,
    /// Blocks on `free`.
    free_count: Cell<u32>,
    /// Blocks on `local_free`.
    local_count: Cell<u32>,
    /// Blocks in holes.
    hole_blocks: Cell<u16>,
    /// Index of the size class.
    class: Cell<u8>,
    state: Cell<State>,
    /// Neighbours in the owner's queue of this class.
    queue_next: Cell<Option<&'static Page>>,
    queue_prev: Cell<Option<&'static Page>>,

    /// Blocks freed by others. Anyone.
    thread_free: ThreadFree,
    /// Who the page belongs to. Written by the owner when it gives the page away, read by anyone.
    owner: AtomicPtr<Owner>,
    /// Next page in the mailbox that this page is in. Its sender, then its receiver.
    mail_next: Cell<*mut Page>,
    /// Neighbours among all pages of the owner. Owner only.
    owned_next: Cell<Option<&'static Page>>,
    owned_prev: Cell<Option<&'static Page>>,
    /// Where the holes are: a bit per granule.
    holes: Cell<u64>,
    /// Slices that the page takes.
    slices: Cell<u8>,
    /// The guard at the end of this header's slice, see [`tail`].
    tail: Cell<u8>,
    /// Where in a thread's cache the bin of the page's class is, for who frees without knowing the
    /// layout. Noted in the header of each slice that a block can start in, before one is handed out.
    bin: Cell<u16>,
    /// The owner's cycle and the time in ms at which the page became a spare one.
    spare_since_cycle: Cell<u32>,
    spare_since_ms: Cell<u64>,
}

const _: () = assert!(size_of::<Page>() == chunk::PAGE_HEADER_BYTES);

// SAFETY: the Cells are written by one thread at a time (Inv. 5); hand-over between threads
// synchronises through the owner's gate, a lock, or a mailbox.
unsafe impl Sync for Page {}

impl Letter for Page {
    fn next(&self) -> *mut Page {
        self.mail_next.get()
    }

    fn set_next(&self, next: *mut Page) {
        self.mail_next.set(next);
    }
}

/// Whom a page belongs to: a heap, or a type's store of abandoned pages. Never unmapped. All zero
/// is one without mail or type.
pub(crate) struct Owner {
    /// Pages somebody freed into since the owner last looked. A page is put here by the one whose
    /// push into its `thread_free` returned `First`, or who took it out with its mark still set.
    pub(crate) mail: Mailbox<Page>,
    /// The declared type that the owner serves; its `Shared` as an address that identifies it.
    type_id: AtomicPtr<()>,
}

impl Owner {
    /// Says which type the owner serves.
    pub(crate) fn set_type(&self, type_id: *const ()) {
        // Relaxed: compared, never followed.
        self.type_id.store(type_id.cast_mut(), Ordering::Relaxed);
    }

    /// Which type the owner serves.
    pub(crate) fn type_id(&self) -> *const () {
        // Relaxed: as in set_type().
        self.type_id.load(Ordering::Relaxed)
    }
}

impl Page {
    /// The page, or the large block, that starts at `start`.
    ///
    /// # Safety
    /// - `start` is the first byte of a page that the arena handed out and that is still in use.
    #[inline(always)]
    pub(crate) unsafe fn at(start: *mut u8) -> &'static Page {
        // SAFETY: what the arena hands out lies in a chunk.
        unsafe { Page::of_slice(start) }
    }

    /// The header of the slice that `block` lies in: of its page only if that starts there.
    ///
    /// # Safety
    /// - `block` lies in a chunk.
    #[inline(always)]
    pub(crate) unsafe fn of_slice(block: *mut u8) -> &'static Page {
        // SAFETY: the header is there, never unmapped, and valid all zero.
        unsafe { &*chunk::page_header(block).cast::<Page>() }
    }

    /// What [`Page::note_bin`] noted of the page or large block that `block` is of.
    ///
    /// # Safety
    /// - `block` is a block in use of a page in which the bin was noted, or the start of a large one.
    #[inline(always)]
    pub(crate) unsafe fn bin_of(block: *mut u8) -> u16 {
        // SAFETY: pages lie in chunks.
        unsafe { Page::of_slice(block) }.bin()
    }

    /// What [`Page::note_bin`] noted of this page.
    #[inline(always)]
    pub(crate) fn bin(&self) -> u16 {
        self.bin.get()
    }

    /// Notes where the bin of the page's class is, in every slice that a block can start in.
    pub(crate) fn note_bin(&self, offset: u16) {
        let slices = match self.state.get() {
            State::Large => 1,
            _ => self.slices.get() as usize,
        };
        for slice in 0..slices {
            let start = self.start.get().wrapping_add(slice * chunk::SLICE_BYTES);
            // SAFETY: a slice of this page, hence in a chunk.
            unsafe { Page::of_slice(start) }.bin.set(offset);
        }
    }

    /// Makes this the page of `reserved` blocks of `block_bytes` from `start` on. No block is
    /// threaded yet.
    pub(crate) fn init(
        &self,
        start: *mut u8,
        slices: u32,
        block_bytes: u32,
        reserved: u32,
        class: u8,
    ) {
        debug_assert_eq!(self.state.get(), State::Unused);
        self.start.set(start);
        self.free.set(self.end());
        self.local_free.set(self.end());
        self.slices.set(slices as u8);
        self.block_bytes.set(block_bytes);
        self.reserved.set(reserved);
        self.capacity.set(0);
        self.free_count.set(0);
        self.local_count.set(0);
        self.hole_blocks.set(0);
        self.holes.set(0);
        self.class.set(class);
        self.state.set(State::Full);
    }

    /// Makes this the page of one block of `slices` whole slices.
    pub(crate) fn init_large(&self, start: *mut u8, slices: u32, owner: &'static Owner) {
        self.init(start, slices, 0, 1, 0);
        self.state.set(State::Large);
        self.set_owner(owner);
    }

    /// Ends the page; its memory may go back to the arena.
    pub(crate) fn retire_header(&self) {
        debug_assert!(!self.thread_free.is_notified());
        self.state.set(State::Unused);
        // Relaxed: nobody has a block of the page; who frees one all the same is not to find an owner.
        self.owner.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// What the page's lists end with (Inv. 6).
    fn end(&self) -> *mut Block {
        end_of(self.start.get())
    }

    /// Takes the `free` list, for the bin that the page is attached to: its first block or the
    /// page's end, and its length.
    pub(crate) fn take_free(&self) -> (*mut Block, u32) {
        (self.free.replace(self.end()), self.free_count.replace(0))
    }

    /// Gives a `free` list of `count` blocks back from a bin.
    pub(crate) fn return_free<C: Choices>(&self, head: *mut Block, count: u32) {
        if count > 0 {
            if self.has_free() {
                // What was collected while attached waits behind.
                self.join_free_to_local::<C>();
            }
            self.free.set(head);
            self.free_count.set(count);
        }
    }

    /// Moves `free` in front of `local_free`, leaving `free` empty.
    #[cold]
    fn join_free_to_local<C: Choices>(&self) {
        let (head, count) = self.take_free();
        // SAFETY: the lists are the owner's, and this one is not empty.
        unsafe { Block::set_next::<C>(self.last_of::<C>(head), self.local_free.get()) };
        self.local_free.set(head);
        self.local_count.set(self.local_count.get() + count);
    }

    /// Takes up to `most` blocks off the `free` list of a page that is not attached; they count
    /// as used from now on.
    pub(crate) fn take_some<C: Choices>(&self, most: u32) -> BlockList {
        let head = self.free.get();
        debug_assert!(most > 0 && self.has_free());
        let count = most.min(self.free_count.get());
        let bytes = self.block_bytes.get() as usize;
        let mut tail = head;
        for _ in 1..count {
            // SAFETY: the list is the owner's and at least `count` long.
            tail = unsafe { Block::next::<C>(tail, bytes) };
        }
        // SAFETY: as above.
        self.free.set(unsafe { Block::next::<C>(tail, bytes) });
        // SAFETY: as above.
        unsafe { Block::set_next::<C>(tail, ptr::null_mut()) };
        self.free_count.set(self.free_count.get() - count);
        BlockList { head, tail, count }
    }

    /// Frees a block of a page that the caller owns and that is not attached.
    ///
    /// # Safety
    /// - `block` is a block of this page that its user gave back.
    pub(crate) unsafe fn free_local<C: Choices>(&self, block: *mut Block) -> Freed {
        // SAFETY: the caller's promise.
        unsafe { self.push_local::<C>(block) };
        if self.used() == 0 {
            Freed::Empty
        } else if self.state.get() == State::Full {
            Freed::WasFull
        } else {
            Freed::Room
        }
    }

    /// The same, if the page stays where it is with one block less in use; whether it does.
    ///
    /// # Safety
    /// - as [`Page::free_local`].
    #[inline(always)]
    pub(crate) unsafe fn free_local_in_queue<C: Choices>(&self, block: *mut Block) -> bool {
        let stays = self.state.get() == State::Queued && self.used() > 1;
        if stays {
            // SAFETY: the caller's promise.
            unsafe { self.push_local::<C>(block) };
        }
        stays
    }

    /// # Safety
    /// - as [`Page::free_local`].
    #[inline(always)]
    unsafe fn push_local<C: Choices>(&self, block: *mut Block) {
        // SAFETY: the caller's promise.
        unsafe { Block::set_next::<C>(block, self.local_free.get()) };
        self.local_free.set(block);
        self.local_count.set(self.local_count.get() + 1);
    }

    /// Frees a list of blocks from a thread that is not the owner. `page_bytes`: of this page.
    /// Nothing of the owner's cache line is read.
    ///
    /// # Safety
    /// - the blocks are of this page, linked from `head` to `tail`, and nobody else uses them.
    pub(crate) unsafe fn free_remote<C: Choices>(
        &'static self,
        list: BlockList,
        page_bytes: usize,
    ) -> Pushed {
        // Pages are aligned to their size.
        let start: *mut u8 = list
            .head
            .map_addr(|address| address & !(page_bytes - 1))
            .cast();
        debug_assert_eq!(start, self.start.get());
        let head = ((list.head.addr() - start.addr()) / 8 + 1) as u32;
        let pushed = self.thread_free.push(head, list.count, |next| {
            // SAFETY: the tail is the caller's until the push succeeds.
            unsafe { Block::set_next::<C>(list.tail, block_at(start, next)) };
        });
        if pushed == Pushed::First {
            self.owner().mail.send(self);
        }
        pushed
    }

    /// Brings home what others freed. `told`: the page was taken out of a mailbox.
    pub(crate) fn take_thread_free<C: Choices>(&self, told: bool) {
        let Taken { head, count } = if told {
            self.thread_free.take_notified()
        } else {
            self.thread_free.take()
        };
        if count == 0 {
            return;
        }
        let head = block_at(self.start.get(), head);
        // When nothing is allocatable, what the owner freed becomes so.
        self.collect_local();
        if self.local_count.get() > 0 {
            // SAFETY: both lists are the owner's now, and this one is not empty.
            unsafe { Block::set_next::<C>(self.last_of::<C>(head), self.local_free.get()) };
        }
        self.local_free.set(head);
        self.local_count.set(self.local_count.get() + count);
    }

    /// Makes what the owner freed allocatable when nothing else is.
    pub(crate) fn collect_local(&self) {
        if !self.has_free() {
            self.free.set(self.local_free.replace(self.end()));
            self.free_count.set(self.local_count.replace(0));
        }
    }

    /// Makes everything that came home allocatable, at the price of a walk.
    pub(crate) fn collect_all<C: Choices>(&self) {
        let count = self.local_count.replace(0);
        let local = self.local_free.replace(self.end());
        if count > 0 {
            // SAFETY: both lists are the owner's, and this one is not empty.
            unsafe { Block::set_next::<C>(self.last_of::<C>(local), self.free.get()) };
            self.free.set(local);
            self.free_count.set(self.free_count.get() + count);
        }
    }

    /// Last block of a list of this page's that is not empty.
    fn last_of<C: Choices>(&self, head: *mut Block) -> *mut Block {
        last_of::<C>(head, self.block_bytes.get() as usize).0
    }

    /// Whether a block can be taken without extending.
    pub(crate) fn has_free(&self) -> bool {
        self.free_count.get() > 0
    }

    /// Whether others freed into the page since the owner last looked. One atomic load.
    pub(crate) fn has_remote(&self) -> bool {
        !self.thread_free.is_empty()
    }

    /// Blocks not yet threaded.
    pub(crate) fn unthreaded(&self) -> u32 {
        self.reserved.get() - self.capacity.get()
    }

    /// Whether no sender knows the page, so that its header may be used anew.
    pub(crate) fn is_unknown_to_senders(&self) -> bool {
        !self.thread_free.is_notified()
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start.get()
    }

    /// Next page in the queue that this one is in.
    pub(crate) fn queue_next(&self) -> Option<&'static Page> {
        self.queue_next.get()
    }

    /// The owner's cycle and the time in ms at which the page became a spare one.
    pub(crate) fn spare_since(&self) -> (u32, u64) {
        (self.spare_since_cycle.get(), self.spare_since_ms.get())
    }

    /// Becomes a spare page, which is in no queue.
    pub(crate) fn set_spare(&self, cycle: u32, now_ms: u64) {
        self.spare_since_cycle.set(cycle);
        self.spare_since_ms.set(now_ms);
        self.state.set(State::Spare);
    }

    pub(crate) fn slices(&self) -> u32 {
        u32::from(self.slices.get())
    }

    pub(crate) fn set_slices(&self, slices: u32) {
        self.slices.set(slices as u8);
    }

    pub(crate) fn block_bytes(&self) -> u32 {
        self.block_bytes.get()
    }

    pub(crate) fn reserved(&self) -> u32 {
        self.reserved.get()
    }

    /// Blocks on the owner's lists and in holes.
    fn unused(&self) -> u32 {
        self.free_count.get() + self.local_count.get() + u32::from(self.hole_blocks.get())
    }

    /// Blocks handed out, those in the bin that the page is attached to included.
    pub(crate) fn used(&self) -> u32 {
        self.capacity.get() - self.unused()
    }

    pub(crate) fn class(&self) -> usize {
        self.class.get() as usize
    }

    pub(crate) fn state(&self) -> State {
        self.state.get()
    }

    pub(crate) fn set_state(&self, state: State) {
        self.state.set(state);
    }

    /// Who the page belongs to.
    #[inline(always)]
    pub(crate) fn owner(&self) -> &'static Owner {
        // Acquire: pairs with the Release in set_owner(), so that a sender sees the new owner's
        // mailbox initialised.
        // SAFETY: set before the page's first block is handed out; owners are never unmapped.
        unsafe { &*self.owner.load(Ordering::Acquire) }
    }

    /// The declared type that the page is of; null for none.
    pub(crate) fn type_id(&self) -> *const () {
        // Acquire: as in owner().
        // SAFETY: null or an owner, which is never unmapped.
        match unsafe { self.owner.load(Ordering::Acquire).as_ref() } {
            Some(owner) => owner.type_id(),
            None => ptr::null(),
        }
    }

    /// Whether the page belongs to `owner`.
    #[inline(always)]
    pub(crate) fn is_owned_by(&self, owner: &Owner) -> bool {
        // Relaxed: only the owner itself can see its own address here, and it wrote that.
        ptr::eq(self.owner.load(Ordering::Relaxed), owner)
    }

    pub(crate) fn set_owner(&self, owner: &'static Owner) {
        // Release: pairs with the Acquire in owner().
        self.owner
            .store(ptr::from_ref(owner).cast_mut(), Ordering::Release);
    }

    /// Asserts what can be asserted of a page without walking its lists.
    pub(crate) fn check_counts(&self) {
        let (capacity, reserved) = (self.capacity.get(), self.reserved.get());
        debug_assert!(
            self.unused() <= capacity && capacity <= reserved,
            "page invariant 1"
        );
        match self.state.get() {
            State::Queued => debug_assert!(self.used() < reserved, "page invariant 4: queued"),
            State::Full => debug_assert!(self.used() == reserved, "page invariant 4: full"),
            State::Spare => debug_assert!(self.used() == 0, "page invariant 4: spare"),
            _ => {}
        }
    }

    /// Asserts the invariants; debug builds only.
    pub(crate) fn check<C: Choices>(&self) {
        self.check_counts();
        if cfg!(debug_assertions) {
            let (free, local) = (self.free.get(), self.local_free.get());
            let bytes = self.block_bytes.get() as usize;
            assert_eq!(
                list_len::<C>(free, bytes),
                self.free_count.get(),
                "page: free"
            );
            assert_eq!(
                list_len::<C>(local, bytes),
                self.local_count.get(),
                "page: local_free"
            );
            self.check_holes::<C>();
        }
    }
}

/// What the lists of the page from `start` on end with (page invariant 6).
fn end_of(start: *mut u8) -> *mut Block {
    start.wrapping_add(1).cast()
}

/// The block that an offset of the remote-free word of the page from `start` on names.
fn block_at(start: *mut u8, head: u32) -> *mut Block {
    if head == 0 {
        end_of(start)
    } else {
        start.wrapping_add((head as usize - 1) * 8).cast()
    }
}

fn list_len<C: Choices>(head: *mut Block, class_bytes: usize) -> u32 {
    if Block::is_end(head) {
        0
    } else {
        last_of::<C>(head, class_bytes).1
    }
}

/// Last block of a list that is not empty, and the list's length.
fn last_of<C: Choices>(head: *mut Block, class_bytes: usize) -> (*mut Block, u32) {
    let (mut tail, mut count) = (head, 1);
    loop {
        // SAFETY: called on lists that the page's owner holds.
        let next = unsafe { Block::next::<C>(tail, class_bytes) };
        if Block::is_end(next) {
            return (tail, count);
        }
        (tail, count) = (next, count + 1);
    }
}
