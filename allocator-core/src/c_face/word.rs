//! The word behind each block of a face that records (`stats = histogram`): what was asked for, since a
//! free is told an address only.
//!
//! ```text
//! ┌───────────────────────┬───────┬──────┐
//! │ what was asked for    │ spare │ word │   the word is the last of the block: 2 bytes, a place
//! └───────────────────────┴───────┴──────┘
//! ```
//!
//! So a block that would be full is of the next class, and [`usable_size`](super::take::usable_size) says 2
//! less. Blocks of no bytes have no word where there are guards: nothing of them can be written. What the
//! type hands out by its Rust face has none, either: it must not be freed here. Where there are canaries, the word
//! is the last of what was asked for, which the canary is behind.

use core::ptr::NonNull;

use super::find::find;
use super::lookup::{bin_offset, is_direct};
use crate::config::choices::Derived;
use crate::config::size_class::BIN_BYTES;
use crate::global::record::{WORD_BYTES, note_allocation, note_free, trace_allocation};
use crate::heap::declared::Exported;
use crate::mem::places::{PLACES, place, size_of_place};

/// What was asked for: its place.
type Word = u16;

const _: () = assert!(PLACES <= Word::MAX as usize, "a place must fit a word");

const _: () = assert!(WORD_BYTES == size_of::<Word>());

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
        unsafe { note::<D>(start, align, size) };
        trace_allocation::<D>(block, align, size);
    }
    block
}

/// Writes the word of a block and counts the block as allocated.
///
/// # Safety
/// - `block` is the caller's, as large and aligned as the face makes it for this, with room for the word.
#[inline(always)]
unsafe fn note<D: Exported>(block: NonNull<u8>, align: usize, size: usize) {
    let place = place(size, align);
    // A block that was aligned for nobody, of a size that is looked up, is of the class found there.
    let end = if !D::CANARIES && align == 1 && is_direct::<D>(size + WORD_BYTES) {
        let class = bin_offset::<D>(size + WORD_BYTES) as usize / BIN_BYTES;
        Some(D::block_bytes(class))
    } else {
        // SAFETY: the caller's promise.
        unsafe { block_bytes::<D>(block) }
    };
    if let Some(bytes) = end {
        // SAFETY: the last of the block, with which the caller has left room.
        unsafe { write(block, bytes, place) };
    }
    // As it is counted when it is freed.
    note_allocation::<D>(place, size_of_place(place));
}

/// # Safety
/// - `block` has `bytes`, and is the caller's.
#[inline(always)]
unsafe fn write(block: NonNull<u8>, bytes: usize, place: usize) {
    // SAFETY: inside of the block.
    let word = unsafe { block.add(bytes - WORD_BYTES) };
    // SAFETY: as above.
    unsafe { word.cast::<Word>().write_unaligned(place as Word) };
}

/// The place of a block of `bytes`; `None` where somebody wrote over it.
///
/// # Safety
/// - `block` has `bytes`, the word among them.
#[inline(always)]
unsafe fn read_of(block: NonNull<u8>, bytes: usize) -> Option<usize> {
    // SAFETY: the caller's promise.
    let word = unsafe { block.add(bytes - WORD_BYTES) };
    // SAFETY: as above.
    let place = usize::from(unsafe { word.cast::<Word>().read_unaligned() });
    (place < PLACES).then_some(place)
}

/// Counts a block of a place as freed.
#[inline(always)]
pub(super) fn note_free_at<D: Exported>(place: usize) {
    note_free::<D>(place, size_of_place(place));
}

/// Counts a block of `bytes` as freed.
///
/// # Safety
/// - `block` has `bytes`, the word among them.
#[inline(always)]
pub(super) unsafe fn note_free_of<D: Exported>(block: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    if let Some(place) = unsafe { read_of(block, bytes) } {
        note_free_at::<D>(place);
    }
}

/// The place of a block; `None` when it has no word.
///
/// # Safety
/// - `block` is an address that the OS gave to somebody in this process.
pub(super) unsafe fn read<D: Exported>(block: NonNull<u8>) -> Option<usize> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { block_bytes::<D>(block) }?;
    // SAFETY: a block of this face has a word.
    unsafe { read_of(block, bytes) }
}

/// Writes the word of a block that was resized, and counts it as allocated. It may be of a larger class than
/// its size asks for.
///
/// # Safety
/// - `block` is the caller's, with room for the word.
pub(super) unsafe fn note_resized<D: Exported>(block: NonNull<u8>, size: usize) {
    let place = place(size, 1);
    // SAFETY: the caller's promise.
    if let Some(bytes) = unsafe { block_bytes::<D>(block) } {
        // SAFETY: the last of the block, with which the caller has left room.
        unsafe { write(block, bytes, place) };
    }
    note_allocation::<D>(place, size_of_place(place));
}

/// Counts a block as freed, if it has a word.
///
/// # Safety
/// - as [`read`].
#[inline(never)]
pub(super) unsafe fn note_free_elsewhere<D: Exported>(block: NonNull<u8>) {
    // SAFETY: the caller's promise.
    if let Some(place) = unsafe { read::<D>(block) } {
        note_free_at::<D>(place);
    }
}

/// Bytes of a block of this face that has room for a word; `None` for anything else.
///
/// # Safety
/// - as [`read`].
#[inline(never)]
unsafe fn block_bytes<D: Exported>(block: NonNull<u8>) -> Option<usize> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { find::<D>(block).usable_bytes::<D>(block) };
    (bytes >= WORD_BYTES).then_some(bytes)
}
