//! Which page an address is of, for addresses that may be of none.

use super::Page;
use crate::mem::chunk;

impl Page {
    /// The page that starts at `start`, if one does.
    ///
    /// # Safety
    /// - `start` lies in a chunk.
    pub(crate) unsafe fn find(start: *mut u8) -> Option<&'static Page> {
        // SAFETY: in a chunk; the headers of its first two slices are not looked at.
        unsafe { chunk::has_page_header(start).then(|| Page::of_slice(start)) }
            .filter(|page| page.state().is_page())
    }

    /// The page or large block, in use, that `address` lies in, if one is there: looked for slice by
    /// slice.
    ///
    /// # Safety
    /// - `address` lies in a chunk.
    pub(crate) unsafe fn holding(address: *mut u8) -> Option<&'static Page> {
        let slice = address.map_addr(|address| address & !(chunk::SLICE_BYTES - 1));
        for behind in 0..chunk::CHUNK_SLICES {
            let start = slice.wrapping_sub(behind * chunk::SLICE_BYTES);
            if !chunk::has_page_header(start) {
                break;
            }
            // SAFETY: in the same chunk as `address`.
            let page = unsafe { Page::of_slice(start) };
            if !page.type_id().is_null() {
                return (behind < page.slices() as usize).then_some(page);
            }
        }
        None
    }

    /// Whether this is the page of a large block.
    pub(crate) fn is_large(&self) -> bool {
        self.block_bytes.get() == 0
    }
}
