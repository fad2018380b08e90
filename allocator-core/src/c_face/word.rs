//! The word behind each block of a face that records (`stats = histogram`): what was asked for, since a
//! free is told an address only.
//!
//! ```text
//! ┌───────────────────────┬───────┬──────┐
//! │ what was asked for    │ spare │ word │   the word is the last of the block: a mark and a place, 2 bytes each
//! └───────────────────────┴───────┴──────┘
//! ```
//!
//! It takes no room of its own. A request is counted in steps of 8 bytes, so one of a smaller step than the
//! block's leaves at least as many, and the word stays. One of the block's own step may write over it, the mark
//! first: what is there then is no word, which says that the block is full. So
//! [`usable_size`](super::take::usable_size) says 4 less while there is a word of a smaller step, and who uses more than
//! that, counts as who asked for the whole block.
//!
//! What its user wrote may look like a word (one in 65,536 has the mark, of which a place must follow that is not the
//! block's own). So what is read decides what is counted, and never what is written: a block that is resized,
//! becomes no larger, and is not full before and afterwards, has room for the word besides what is asked for.
//!
//! Where somebody asked for an alignment, or where there are canaries, the word has room of its own: a full
//! block does not say its alignment, and what was asked for ends before the canary does. Blocks of no bytes
//! have no word where there are guards: nothing of them can be written. What the type hands out by its
//! Rust face has none, either: it must not be freed here.

use core::ptr::NonNull;

use super::find::find;
use crate::config::choices::Derived;
use crate::global::record::{
    Request, WORD_BYTES, note_allocation, note_free, note_resize, room_for_word,
};
use crate::heap::declared::Exported;
use crate::mem::places::{EXACT_PLACES, PLACES, place, size_of_place};
use crate::mem::tally::Tally;

/// The place, and below it the mark.
type Word = u32;

/// What a word begins with in memory: nothing that is often there.
const MARK: Word = 0xb5e7;

/// What is not a word.
const NO_WORD: Word = 0;

const _: () = assert!(PLACES <= u16::MAX as usize, "a place must fit its half");

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
    let block = allocate(size.saturating_add(room_for_word::<D>(align)));
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
    let place = place(size, align);
    // SAFETY: the caller's promise.
    if let Some(bytes) = unsafe { block_bytes::<D>(block) } {
        let word = match size + WORD_BYTES <= bytes {
            true => word_of(place),
            false => NO_WORD,
        };
        // SAFETY: the last of the block.
        unsafe { write(block, bytes, word) };
    }
    note_allocation::<D>(block.as_ptr(), request(place), align, size)
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
    unsafe { write(block, D::block_bytes(class), word_of(request.place)) };
    if tally.is_some_and(|tally| tally.allocated(request.place, request.bytes)) {
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

#[inline(always)]
const fn word_of(place: usize) -> Word {
    ((place as Word) << 16 | MARK).to_le()
}

/// # Safety
/// - `block` has `bytes`, at least a word's, and is the caller's.
#[inline(always)]
unsafe fn write(block: NonNull<u8>, bytes: usize, value: Word) {
    // SAFETY: inside of the block.
    let word = unsafe { block.add(bytes - WORD_BYTES) };
    // SAFETY: as above.
    unsafe { word.cast::<Word>().write_unaligned(value) };
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
    // The mark on top, so that whatever is not it makes no place.
    let turned = Word::from_le(value).rotate_left(16);
    turned.wrapping_sub(MARK << 16) as usize
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
    tally.is_some_and(|tally| tally.freed(place, place * 8))
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
    /// Bytes that a block resized to `size` is to have for its word alone; `stays`: whether it is as large without them.
    /// Where it becomes larger, its last bytes are new, and where it stays full, they say so still. Otherwise they may be
    /// its user's, or of who had the block before, and the word lies behind what is asked for.
    pub(super) fn spare_for_next<D: Exported>(&self, size: usize, stays: bool) -> usize {
        let last = self.place.map(size_of_place);
        let is_full = last.is_none_or(|last| last.saturating_add(WORD_BYTES) > self.bytes);
        if D::CANARIES || size > self.bytes || stays && is_full {
            0
        } else {
            WORD_BYTES
        }
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
    if D::CANARIES || found < PLACES && size_of_place(found) <= rest {
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
        let is_free = size + WORD_BYTES <= bytes;
        // Neither where it stays full, or where there was no memory for more.
        if is_free || bytes > before.bytes {
            let word = if is_free { word_of(after) } else { NO_WORD };
            // SAFETY: the last of the block, where its user has nothing.
            unsafe { write(block, bytes, word) };
        }
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
