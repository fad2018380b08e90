//! The word behind each block of a face that records (`stats = histogram`): what was asked for, since a
//! free is told an address only.
//!
//! ```text
//! ┌───────────────────────┬───────┬──────┐
//! │ what was asked for    │ spare │ word │   the last 8 bytes of the block: its address, all bits turned,
//! └───────────────────────┴───────┴──────┘   and on top of it the place and a mark
//! ```
//!
//! It takes no room of its own. A request is counted in steps of 8 bytes, so one of a smaller step than the
//! block's leaves at least as many, and the word stays. One of the block's own step may write over it: what
//! is there then is no word, which says that the block is full. So
//! [`usable_size`](super::take::usable_size) says 8 less while there is a word of a smaller step, and who uses
//! more than that, counts as who asked for the whole block.
//!
//! 1. No content is taken for a word: none that a program has use for is an address with all bits turned and this
//!    mark on top, and what is copied from another block has the address of that.
//! 2. A word is that of what the block was asked for last: one from before is cleared where there is no room for
//!    another, and where a block grows around it.
//!
//! Where somebody asked for an alignment, or where there are canaries, the word has room of its own: a full
//! block does not say its alignment, and what was asked for ends before the canary does. Where
//! there are canaries, a write over the word is found, too, when the block is given back ([`is_kept`]). Blocks that have no
//! bytes (`malloc(0)` where there are guards) have no word, and are not counted. What the type hands out by
//! its Rust face has none, either: it must not be freed here.

use core::ptr::NonNull;

use super::find::find;
use crate::config::choices::Derived;
use crate::global::record::{WORD_BYTES, note_allocation, note_free, note_resize, room_for_word};
use crate::heap::declared::Exported;
use crate::mem::places::{ALIGNED_PLACES, EXACT_PLACES, PLACES, place, size_of_place};
use crate::mem::tally::{Request, Tally};

type Word = u64;

/// Bits of an address, above which the place is.
const PLACE_SHIFT: u32 = 48;

/// Bytes of the place: the last of a word.
const PLACE_BYTES: usize = 2;

/// The mark: bits of the place that are turned, so that an address alone makes no word.
const MARK: usize = 0xb5e7;

/// What is left of a word whose place is cleared is none.
const _: () = assert!(MARK ^ 0xffff >= PLACES);

const _: () = assert!(PLACES <= 1 << (Word::BITS - PLACE_SHIFT));

const _: () = assert!(WORD_BYTES == size_of::<Word>());

/// The block that `allocate` returns for as many bytes as it is told, of a request for `size` bytes at
/// alignment `align` (1: nobody asked for any); counted, if the type's requests are recorded.
#[inline(always)]
pub(super) fn counted<D: Exported>(
    align: usize,
    size: usize,
    allocate: impl FnOnce(usize) -> *mut u8,
) -> *mut u8 {
    if !D::RECORDS {
        return allocate(size);
    }
    let room = match D::GUARDS && size == 0 {
        true => 0,
        false => room_for_word::<D>(align),
    };
    // What overflows is more than there is, and is refused as that.
    let block = allocate(size.saturating_add(room));
    match NonNull::new(block) {
        // SAFETY: just allocated, with room for the word.
        Some(start) => unsafe { with_word::<D>(start, align, size) },
        None => block,
    }
}

/// Writes the word of a block and counts the block as allocated; the block. Of what was asked for at most
/// zeros are written.
///
/// # Safety
/// - `block` is the caller's, as large and aligned as the face makes it for this; nothing is in it.
#[inline(never)]
unsafe fn with_word<D: Exported>(block: NonNull<u8>, align: usize, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let Some(bytes) = (unsafe { block_bytes::<D>(block) }) else {
        return block.as_ptr();
    };
    let place = place(size, align);
    // SAFETY: as above.
    unsafe { write_or_clear(block, bytes, place, size) };
    note_allocation::<D>(block.as_ptr(), request(place), align, size)
}

/// Writes the word of a block of `bytes` for `size`; where there is no room, none is left that says less.
///
/// # Safety
/// - `block` is the caller's, and has `bytes`, at least a word's and at least `size`.
unsafe fn write_or_clear(block: NonNull<u8>, bytes: usize, place: usize, size: usize) {
    if size + WORD_BYTES <= bytes {
        // SAFETY: the last of the block.
        return unsafe { write(block, bytes, place) };
    }
    // SAFETY: the caller's promise.
    let before = unsafe { read_of(block, bytes) };
    // One that says that the block is full does so still, and part of it may be content.
    if before < PLACES && is_apart(before, bytes) {
        // SAFETY: inside of the block. What follows an address with all bits turned is no content (Inv. 1).
        unsafe { clear(block, bytes - PLACE_BYTES, bytes) };
    }
}

/// # Safety
/// - `block` is the caller's, and has `end` bytes, none from `start` on in use.
unsafe fn clear(block: NonNull<u8>, start: usize, end: usize) {
    // SAFETY: the caller's promise.
    unsafe { block.add(start).write_bytes(0, end - start) };
}

/// The same for a block of `class` that was aligned for nobody, of whose thread this is the tally. The word may
/// be part of what was asked for.
///
/// # Safety
/// - `block` is the caller's, of this class, and may hold anything.
#[inline(always)]
pub(super) unsafe fn with_word_in_class<D: Exported>(
    tally: Option<&Tally>,
    block: NonNull<u8>,
    class: usize,
    size: usize,
) -> *mut u8 {
    let request = request(place(size, 1));
    // SAFETY: the last of the block.
    unsafe { write(block, D::block_bytes(class), request.place) };
    if tally.is_some_and(|tally| tally.allocated(request)) {
        return block.as_ptr();
    }
    note_in_class::<D>(block, size)
}

#[cold]
#[inline(never)]
fn note_in_class<D: Exported>(block: NonNull<u8>, size: usize) -> *mut u8 {
    note_allocation::<D>(block.as_ptr(), request(place(size, 1)), 1, size)
}

/// What is counted at a place, the same when it is allocated and when it is freed.
#[inline(always)]
fn request(place: usize) -> Request {
    Request {
        place,
        bytes: size_of_place(place),
    }
}

/// Writes the word of a block.
///
/// # Safety
/// - `block` has `bytes`, at least a word's, and is the caller's.
#[inline(always)]
unsafe fn write(block: NonNull<u8>, bytes: usize, place: usize) {
    let value = ((place ^ MARK) as Word) << PLACE_SHIFT ^ !(block.addr().get() as Word);
    // SAFETY: inside of the block.
    let word = unsafe { block.add(bytes - WORD_BYTES) };
    // SAFETY: as above.
    unsafe { word.cast::<Word>().write_unaligned(value.to_le()) };
}

/// What is in the place of the word, as a place: not one, where there is no word.
///
/// # Safety
/// - `block` has `bytes`, at least a word's.
#[inline(always)]
unsafe fn read_of(block: NonNull<u8>, bytes: usize) -> usize {
    // SAFETY: the caller's promise.
    let word = unsafe { block.add(bytes - WORD_BYTES) };
    // SAFETY: as above.
    let value = unsafe { word.cast::<Word>().read_unaligned() };
    let turned = Word::from_le(value) ^ !(block.addr().get() as Word);
    // The address on top, so that whatever is not it makes no place.
    turned.rotate_right(PLACE_SHIFT) as usize ^ MARK
}

/// Counts a block of a class of `bytes` as freed, if that takes no more than counting; whether it did.
///
/// # Safety
/// - `block` has `bytes`, and there are no canaries.
#[inline(always)]
#[must_use]
pub(super) unsafe fn count_free_of<D: Exported>(
    tally: Option<&Tally>,
    block: NonNull<u8>,
    bytes: usize,
) -> bool {
    // SAFETY: the caller's promise.
    let found = unsafe { read_of(block, bytes) };
    // Of another alignment, or of a size that is not counted in steps of 8.
    if found.wrapping_sub(EXACT_PLACES) < PLACES - EXACT_PLACES {
        return false;
    }
    let place = found.min(bytes / 8);
    if D::MAX_CLASS_BYTES / 8 >= EXACT_PLACES && place >= EXACT_PLACES {
        return false;
    }
    // What size_of_place() says, without its question.
    let bytes = place * 8;
    tally.is_some_and(|tally| tally.freed(Request { place, bytes }))
}

/// What a block says of itself.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    /// What it has; 0 for what is no block of this face, or has no bytes.
    pub(super) bytes: usize,
    /// The place of what was asked for, where it is known.
    place: Option<usize>,
}

impl Noted {
    /// Where its word is, if none of that was asked for.
    fn word(&self) -> Option<usize> {
        let is_apart = self.place.is_some_and(|place| is_apart(place, self.bytes));
        is_apart.then(|| self.bytes - WORD_BYTES)
    }
}

/// What a block says of itself.
///
/// # Safety
/// - `block` is an address that the OS gave to somebody in this process.
pub(super) unsafe fn read<D: Exported>(block: NonNull<u8>) -> Noted {
    // SAFETY: the caller's promise.
    let Some(bytes) = (unsafe { block_bytes::<D>(block) }) else {
        return Noted {
            bytes: 0,
            place: None,
        };
    };
    // SAFETY: a block of this face.
    let found = unsafe { read_of(block, bytes) };
    let place = if found < PLACES {
        Some(found)
    } else {
        // Where the word has room of its own, somebody wrote over it.
        (!D::CANARIES).then(|| place(bytes, 1))
    };
    Noted { bytes, place }
}

/// Whether the word of a block of `bytes` is behind all of what counts as this place.
fn is_apart(place: usize, bytes: usize) -> bool {
    place >= ALIGNED_PLACES || size_of_place(place) + WORD_BYTES <= bytes
}

/// Whether a block whose word has room of its own, because there are canaries, has a word still, or none at all.
///
/// # Safety
/// - as [`read`].
pub(super) unsafe fn is_kept<D: Exported>(block: NonNull<u8>) -> bool {
    debug_assert!(D::CANARIES);
    // SAFETY: the caller's promise.
    let noted = unsafe { read::<D>(block) };
    noted.bytes == 0 || noted.place.is_some()
}

/// How many of its `bytes` the user of a block may use.
///
/// # Safety
/// - `block` is one of this face that has `bytes`, or is of no bytes or somebody else's, which has none.
pub(super) unsafe fn usable_of<D: Exported>(block: NonNull<u8>, bytes: usize) -> usize {
    let Some(rest) = bytes.checked_sub(WORD_BYTES) else {
        return bytes;
    };
    // SAFETY: the caller's promise.
    let found = unsafe { read_of(block, bytes) };
    if D::CANARIES || found < PLACES && is_apart(found, bytes) {
        return rest;
    }
    bytes
}

/// Writes the word of a block that was resized, and counts it as freed, if its place was known, and as allocated.
///
/// # Safety
/// - `block` is the caller's, and holds as much of what it held as fits.
pub(super) unsafe fn note_resized<D: Exported>(block: NonNull<u8>, before: Noted, size: usize) {
    let after = place(size, 1);
    // SAFETY: the caller's promise.
    if let Some(bytes) = unsafe { block_bytes::<D>(block) } {
        if let Some(word) = before.word()
            && before.bytes <= size
        {
            // SAFETY: in the block, and nothing that its user had.
            unsafe { clear(block, word, before.bytes) };
        }
        // SAFETY: as above.
        unsafe { write_or_clear(block, bytes, after, size) };
    }
    note_resize::<D>(before.place.map(request), request(after));
}

/// Notes a free that was not counted, if the block has a place.
///
/// # Safety
/// - as [`read`].
pub(super) unsafe fn note_free_of<D: Exported>(block: NonNull<u8>) {
    // SAFETY: the caller's promise.
    if let Some(place) = unsafe { read::<D>(block) }.place {
        note_free::<D>(block.as_ptr(), request(place));
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
