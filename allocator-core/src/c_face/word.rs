//! The word behind each block of a face that records (`stats = histogram`): what was asked for, since a
//! free is told an address only.
//!
//! ```text
//! ┌───────────────────────┬───────┬──────┐
//! │ what was asked for    │ spare │ word │   the word is the last of the block, 8 bytes
//! └───────────────────────┴───────┴──────┘
//! ```
//!
//! So each block is 8 bytes larger than it would be, and [`usable_size`](super::take::usable_size) says 8
//! less. Blocks of no bytes have no word where there are guards: nothing of them can be written. What the
//! type hands out by its Rust face has none, either: it must not be freed here. Where there are canaries, the word
//! is the last of what was asked for, which the canary is behind.

use core::ptr::NonNull;

use super::find::find;
use crate::config::choices::Derived;
use crate::config::size_class::BIN_BYTES;
use crate::global::record::{note_allocation, note_free, trace_allocation};
use crate::heap::declared::Exported;
use crate::heap::large::no_bin;
use crate::mem::page::Page;
use crate::mem::places::{PLACES, place};

/// Bytes of the word.
pub(super) const WORD_BYTES: usize = size_of::<u64>();

/// A request: its place, and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    place: usize,
    bytes: usize,
}

/// Bits of a place. The rest are bytes: an address space has 48.
const PLACE_BITS: u32 = 16;

const _: () = assert!(
    PLACES < 1 << PLACE_BITS,
    "a place must fit beside the bytes"
);

impl Word {
    const fn packed(self) -> u64 {
        (self.bytes as u64) << PLACE_BITS | self.place as u64
    }

    /// `None` for what is no word.
    fn unpacked(word: u64) -> Option<Self> {
        let place = (word & ((1 << PLACE_BITS) - 1)) as usize;
        let bytes = (word >> PLACE_BITS) as usize;
        (place < PLACES).then_some(Self { place, bytes })
    }

    /// Counts the block as freed.
    #[inline(always)]
    pub(super) fn note_free<D: Exported>(self) {
        note_free::<D>(self.place, self.bytes);
    }
}

/// The block that `allocate` returns for as many bytes as it is told, of a request for `size` bytes at
/// alignment `align` (1: nobody asked for any); counted, if the type's requests are recorded.
#[inline(always)]
pub(super) fn counted<D: Exported>(
    align: usize,
    size: usize,
    allocate: impl FnOnce(usize) -> *mut u8,
) -> *mut u8 {
    if !D::RECORDS || D::GUARDS && size == 0 {
        return allocate(size);
    }
    // What overflows is more than there is, and is refused as that.
    let block = allocate(size.saturating_add(WORD_BYTES));
    if let Some(start) = NonNull::new(block) {
        // SAFETY: just allocated, with room for the word.
        unsafe { write::<D>(start, align, size) };
        trace_allocation::<D>(block, align, size);
    }
    block
}

/// Writes the word of a block and counts the block as allocated.
///
/// # Safety
/// - `block` is the caller's, with room for the word.
#[inline(always)]
pub(super) unsafe fn write<D: Exported>(block: NonNull<u8>, align: usize, size: usize) {
    let word = Word {
        place: place(size, align),
        bytes: size,
    };
    // SAFETY: the caller's promise.
    if let Some(at) = unsafe { address::<D>(block) } {
        // SAFETY: the last word of the block.
        unsafe { at.write_unaligned(word.packed()) };
    }
    note_allocation::<D>(word.place, word.bytes);
}

/// The word of a block; `None` when it has none.
///
/// # Safety
/// - `block` is an address that the OS gave to somebody in this process.
#[inline(always)]
pub(super) unsafe fn read<D: Exported>(block: NonNull<u8>) -> Option<Word> {
    // SAFETY: the caller's promise.
    let at = unsafe { address::<D>(block) }?;
    // SAFETY: the last word of the block.
    Word::unpacked(unsafe { at.read_unaligned() })
}

/// Where a block's word is.
///
/// # Safety
/// - as [`read`].
#[inline(always)]
unsafe fn address<D: Exported>(block: NonNull<u8>) -> Option<NonNull<u64>> {
    // SAFETY: the caller's promise.
    if !D::PAGES && !D::CANARIES && unsafe { super::find::is_in_chunk::<D>(block.as_ptr()) } {
        // SAFETY: in a chunk.
        let offset = unsafe { Page::bin_of(block.as_ptr()) };
        if offset < no_bin::<D>() {
            let bytes = D::block_bytes(offset as usize / BIN_BYTES);
            // SAFETY: a block of this class, which is larger than a word.
            return Some(unsafe { block.add(bytes - WORD_BYTES) }.cast());
        }
    }
    // SAFETY: the caller's promise.
    unsafe { address_elsewhere::<D>(block) }
}

/// # Safety
/// - as [`read`].
#[inline(never)]
unsafe fn address_elsewhere<D: Exported>(block: NonNull<u8>) -> Option<NonNull<u64>> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { find::<D>(block).usable_bytes::<D>(block) };
    let offset = bytes.checked_sub(WORD_BYTES)?;
    // SAFETY: inside of the block.
    Some(unsafe { block.add(offset) }.cast())
}
