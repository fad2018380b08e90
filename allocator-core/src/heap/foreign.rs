//! Blocks of one foreign page that this thread freed and has not sent yet: a
//! run of frees into the same page costs one atomic operation, not one each.

use core::cell::Cell;

use super::declared::Declared;
use crate::config::Purge;
use crate::mem::block::{Block, BlockList};
use crate::mem::due;
use crate::mem::page::Page;
use crate::mem::thread_free::Pushed;
use crate::os;

/// Most blocks held back; bounds how long a page stays unfreed for the last of its blocks.
const RUN_MAX: u32 = 64;

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

    /// Adds a block of `page`, sending what was held of another page.
    ///
    /// # Safety
    /// - `block` is a block of `page` that its user gave back, and `page` is not this thread's.
    pub(super) unsafe fn add<D: Declared>(&self, page: &'static Page, block: *mut Block) {
        let same = self
            .page
            .get()
            .is_some_and(|held| core::ptr::eq(held, page));
        if !same {
            self.send::<D>();
            self.page.set(Some(page));
        }
        let mut blocks = self.blocks.get();
        // SAFETY: the caller's promise.
        unsafe { blocks.push(block) };
        self.blocks.set(blocks);
        if blocks.count >= RUN_MAX {
            self.send::<D>();
        }
    }

    /// Sends what is held to its page.
    pub(super) fn send<D: Declared>(&self) {
        if let Some(page) = self.page.take() {
            let blocks = self.blocks.replace(BlockList::EMPTY);
            // SAFETY: blocks of `page` that only this run knows.
            unsafe { send_home::<D>(page, blocks) };
        }
    }
}

/// Frees blocks into a page of another heap, and sees that they do not wait for its owner alone.
///
/// # Safety
/// - the blocks are of `page`, linked from head to tail, and nobody else uses them.
pub(super) unsafe fn send_home<D: Declared>(page: &'static Page, blocks: BlockList) {
    // SAFETY: the caller's promise.
    let pushed = unsafe { page.free_remote(blocks) };
    if pushed == Pushed::First && !due::is_set() {
        match D::CONFIG.purge {
            Purge::Never => {}
            Purge::Now => due::by(os::now_ms()),
            Purge::After(delay_ms) => due::by(os::now_ms() + u64::from(delay_ms)),
        }
    }
}
