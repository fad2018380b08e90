//! Blocks of foreign pages that this thread freed and has not sent yet: frees into the same page
//! are collected, so that they cost one atomic operation together.
//!
//! Several pages are collected for at a time, because a thread that frees what another made
//! mostly frees blocks of many classes by turns.
//!
//! Used inside the gate of the heap that it is of, so that a visitor may send what its owner, who
//! sleeps, has not.

use core::ops::BitOrAssign;
use core::ptr;

use crate::base::sync::{AtomicU32, Cell, Ordering};
use crate::config::choices::{Choices, Derived};
use crate::mem::block::{Block, BlockList};
use crate::mem::chunk::SLICE_BYTES;
use crate::mem::due;
use crate::mem::page::Page;
use crate::mem::thread_free::Pushed;
use crate::os;

/// Pages that are collected for at a time: about the classes that a program uses together. Where there are more, a
/// run is sent for each block or two.
const RUNS: usize = 32;
// `held` has a bit for each.
const _: () = assert!(RUNS <= u32::BITS as usize);

/// Most blocks, and about the most bytes, held back of a page (but two blocks at least). How long they are held if the
/// thread sleeps, upkeep bounds.
const RUN_BLOCKS_MAX: u32 = 64;
const RUN_BYTES_MAX: u32 = 16 << 10;

/// Whether blocks went to their page: then upkeep may have become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    No,
    Yes,
}

impl BitOrAssign for Sent {
    fn bitor_assign(&mut self, other: Self) {
        if other == Self::Yes {
            *self = other;
        }
    }
}

/// What is held back. All zero is nothing.
pub(super) struct Foreign {
    runs: [Run; RUNS],
    /// Bit `i`: `runs[i]` has blocks. Read by who considers a visit.
    held: AtomicU32,
}

/// Blocks of one page. Its header is another thread's, so all that adding one more block needs to
/// know is here.
struct Run {
    /// Null while nothing is held.
    page: Cell<*const Page>,
    blocks: Cell<BlockList>,
    /// Blocks that are sent together.
    most: Cell<u32>,
    page_bytes: Cell<u32>,
}

impl Foreign {
    /// Adds a block of `page`, sending what its place held of another page. Whether anything was
    /// sent.
    ///
    /// # Safety
    /// - as [`Foreign::begin`], but for the last.
    pub(super) unsafe fn add<C: Choices>(
        &self,
        page: &'static Page,
        class: usize,
        block: *mut Block,
    ) -> Sent {
        // SAFETY: the caller's promise.
        match unsafe { self.add_to_held::<C>(page, block) } {
            Some(sent) => sent,
            // SAFETY: the caller's promise; nothing is held of the page.
            None => unsafe { self.begin::<C>(page, class, block) },
        }
    }

    /// Whether blocks of `page` are held.
    #[inline(always)]
    pub(super) fn holds<C: Choices>(&self, page: &Page) -> bool {
        ptr::eq(self.runs[place_of::<C>(page)].page.get(), page)
    }

    /// Adds a block of `page`, of which blocks are held already, unless it is the last to be held; whether it did.
    ///
    /// # Safety
    /// - `block` is a block of `page` that its user gave back; blocks of the page are held.
    #[inline(always)]
    pub(super) unsafe fn add_before_last<C: Choices>(
        &self,
        page: &'static Page,
        block: *mut Block,
    ) -> bool {
        let run = &self.runs[place_of::<C>(page)];
        debug_assert!(ptr::eq(run.page.get(), page));
        let is_before_last = run.blocks.get().count + 1 < run.most.get();
        if is_before_last {
            // SAFETY: the caller's promise.
            unsafe { run.push::<C>(block) };
        }
        is_before_last
    }

    /// Adds a block of `page` if blocks of that are held already; otherwise `None`. Without a look at
    /// the page's header, whose line others write.
    ///
    /// # Safety
    /// - `block` is a block of `page` that its user gave back.
    #[inline]
    pub(super) unsafe fn add_to_held<C: Choices>(
        &self,
        page: &'static Page,
        block: *mut Block,
    ) -> Option<Sent> {
        if !self.holds::<C>(page) {
            return None;
        }
        // SAFETY: the caller's promise; some are held.
        if unsafe { self.add_before_last::<C>(page, block) } {
            return Some(Sent::No);
        }
        let place = place_of::<C>(page);
        let run = &self.runs[place];
        // SAFETY: the caller's promise.
        unsafe { run.push::<C>(block) };
        self.set_held(self.held() & !(1 << place));
        Some(run.send::<C>())
    }

    /// Begins to hold blocks of `page`, with this one, and sends what its place held of another page.
    /// Whether anything was sent.
    ///
    /// # Safety
    /// - `block` is a block of `page`, of `class`, that its user gave back; the page is not this
    ///   thread's, and nothing of it is held.
    #[inline(never)]
    pub(super) unsafe fn begin<C: Choices>(
        &self,
        page: &'static Page,
        class: usize,
        block: *mut Block,
    ) -> Sent {
        let place = place_of::<C>(page);
        let run = &self.runs[place];
        let sent = run.send::<C>();
        run.page.set(page);
        let by_bytes = RUN_BYTES_MAX / C::block_bytes(class) as u32;
        run.most.set(by_bytes.clamp(2, RUN_BLOCKS_MAX));
        run.page_bytes.set(C::page_bytes(class) as u32);
        run.blocks.set(BlockList {
            head: block,
            tail: block,
            count: 1,
        });
        if C::LINKS {
            // It waits like every free block: signed. What it is linked to is settled when it is sent.
            // SAFETY: given back by its user.
            unsafe { Block::set_next::<C>(block, ptr::null_mut()) };
        }
        if self.is_empty() {
            // The thread may sleep from now on; then a visitor sends it.
            due::after(os::now_ms(), C::CONFIG.purge);
        }
        self.set_held(self.held() | 1 << place);
        sent
    }

    fn held(&self) -> u32 {
        // Relaxed: written inside the gate, and a hint elsewhere.
        self.held.load(Ordering::Relaxed)
    }

    fn set_held(&self, held: u32) {
        // Relaxed: as above.
        self.held.store(held, Ordering::Relaxed);
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.held() == 0
    }

    /// Sends all that is held to its pages.
    pub(super) fn send<C: Choices>(&self) {
        let mut held = self.held();
        self.set_held(0);
        while let Some(run) = self.runs.get(held.trailing_zeros() as usize) {
            let _ = run.send::<C>();
            held &= held - 1;
        }
    }
}

/// Where blocks of a page are held. Neighbouring small-block pages, often of one class each, have neighbouring places.
#[inline(always)]
fn place_of<C: Choices>(page: &Page) -> usize {
    let slices = C::CONFIG.page_bytes as usize / SLICE_BYTES;
    ptr::from_ref(page).addr() / (size_of::<Page>() * slices) % RUNS
}

impl Run {
    /// Adds a block to those that are held.
    ///
    /// # Safety
    /// - `block` is a block of the page that its user gave back; others of it are held.
    #[inline(always)]
    unsafe fn push<C: Choices>(&self, block: *mut Block) {
        let mut blocks = self.blocks.get();
        // SAFETY: the caller's promise.
        unsafe { Block::set_next::<C>(block, blocks.head) };
        blocks.head = block;
        blocks.count += 1;
        self.blocks.set(blocks);
    }

    #[inline(never)]
    fn send<C: Choices>(&self) -> Sent {
        // SAFETY: null or a header, which is never unmapped.
        let Some(page) = (unsafe { self.page.replace(ptr::null()).as_ref() }) else {
            return Sent::No;
        };
        // SAFETY: blocks of `page` that only this run knows.
        unsafe { send_home::<C>(page, self.blocks.get(), self.page_bytes.get() as usize) };
        Sent::Yes
    }
}

/// Frees blocks into a page of another heap, and sees that they do not wait for its owner alone.
///
/// # Safety
/// - the blocks are of `page`, which is of `page_bytes`, linked from head to tail, and nobody else
///   uses them.
pub(super) unsafe fn send_home<C: Choices>(
    page: &'static Page,
    blocks: BlockList,
    page_bytes: usize,
) {
    // SAFETY: the caller's promise.
    let pushed = unsafe { page.free_remote::<C>(blocks, page_bytes) };
    if pushed == Pushed::First {
        due::after(os::now_ms(), C::CONFIG.purge);
    }
}
