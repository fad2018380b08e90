//! Blocks of one foreign page that this thread freed and has not sent yet: a
//! run of frees into the same page costs one atomic operation, not one each.

use core::cell::Cell;
use core::ptr;

use crate::config::Purge;
use crate::config::choices::Choices;
use crate::mem::block::{Block, BlockList};
use crate::mem::due;
use crate::mem::page::Page;
use crate::mem::thread_free::Pushed;
use crate::os;

/// Most blocks held back; bounds how long a page stays unfreed for the last of its blocks.
const RUN_MAX: u32 = 64;

/// Whether blocks went to their page: then upkeep may have become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    No,
    Yes,
}

/// The run. All zero is empty.
pub(super) struct ForeignRun {
    page: Cell<Option<&'static Page>>,
    blocks: Cell<BlockList>,
}

impl ForeignRun {
    pub(super) const fn new() -> Self {
        Self {
            page: Cell::new(None),
            blocks: Cell::new(BlockList::EMPTY),
        }
    }

    /// Adds a block of `page`, sending what was held of another page. Whether anything was sent.
    ///
    /// # Safety
    /// - `block` is a block of `page` that its user gave back, and `page` is not this thread's.
    pub(super) unsafe fn add<C: Choices>(&self, page: &'static Page, block: *mut Block) -> Sent {
        let mut sent = Sent::No;
        if !self.page.get().is_some_and(|held| ptr::eq(held, page)) {
            sent = self.send::<C>();
            self.page.set(Some(page));
        }
        let mut blocks = self.blocks.get();
        // SAFETY: the caller's promise.
        unsafe { blocks.push(block) };
        self.blocks.set(blocks);
        if blocks.count >= RUN_MAX {
            sent = self.send::<C>();
        }
        sent
    }

    /// Sends what is held to its page.
    pub(super) fn send<C: Choices>(&self) -> Sent {
        let Some(page) = self.page.take() else {
            return Sent::No;
        };
        let blocks = self.blocks.replace(BlockList::EMPTY);
        // SAFETY: blocks of `page` that only this run knows.
        unsafe { send_home::<C>(page, blocks) };
        Sent::Yes
    }
}

/// Frees blocks into a page of another heap, and sees that they do not wait for its owner alone.
///
/// # Safety
/// - the blocks are of `page`, linked from head to tail, and nobody else uses them.
pub(super) unsafe fn send_home<C: Choices>(page: &'static Page, blocks: BlockList) {
    // SAFETY: the caller's promise.
    let pushed = unsafe { page.free_remote(blocks) };
    if pushed == Pushed::First {
        match C::CONFIG.purge {
            Purge::Never => {}
            Purge::Now => due::by(os::now_ms()),
            Purge::After(delay_ms) => due::by(os::now_ms() + u64::from(delay_ms)),
        }
    }
}
