//! What lies in each 32 MiB of the process's addresses, for a free that is told an address and nothing
//! else: a byte for each, all but a few of which are never touched.
//!
//! 1. `CHUNK`: a whole chunk of the arena is there. It stays so.
//! 2. `HUGE` and a power of two: the mapping of a huge block starts there, with the block's head, and so many
//!    bytes from there the block. So nothing is read of a mapping that another thread may unmap, for an
//!    address inside of it that is somebody else's.
//! 3. `UNKNOWN`: anything else. A chunk that nobody has asked about yet or that is less than whole,
//!    the rest of a huge block, memory of others, nothing.
//!
//! Relaxed throughout: a mark is made before the first address behind it is handed out, and what
//! hands the address on hands the mark on.

use core::ptr::NonNull;

use super::arena;
use super::chunk::{CHUNK_BYTES, CHUNK_SLICES};
use crate::base::sync::{AtomicU8, Ordering::Relaxed};

const UNKNOWN: u8 = 0;
const CHUNK: u8 = 1;
const HUGE: u8 = 0x80;

/// Bits of an address of a process, unless it asks for more: 47 on x86-64, at most 48 elsewhere.
pub(super) const ADDRESS_BITS: u32 = if cfg!(target_arch = "x86_64") { 47 } else { 48 };
const REGIONS: usize = (1 << ADDRESS_BITS) / CHUNK_BYTES;

static MARKS: [AtomicU8; REGIONS] = [const { AtomicU8::new(UNKNOWN) }; REGIONS];

/// Whether `address` is known to lie in a whole chunk.
///
/// # Safety
/// - `address` is null or one that the OS gave to somebody in this process.
#[inline(always)]
pub(crate) unsafe fn is_in_chunk(address: *mut u8) -> bool {
    // SAFETY: no address of the process is beyond the table (`ADDRESS_BITS`).
    unsafe { MARKS.get_unchecked(address.addr() / CHUNK_BYTES) }.load(Relaxed) == CHUNK
}

/// Whether `address`, which may be anything, is known to lie in a whole chunk.
#[inline(always)]
pub(crate) fn is_in_known_chunk(address: *mut u8) -> bool {
    MARKS
        .get(address.addr() / CHUNK_BYTES)
        .is_some_and(|mark| mark.load(Relaxed) == CHUNK)
}

/// Whether `block` lies where a page of the arena can be; remembers it of whole chunks.
pub(crate) fn is_in_arena(block: NonNull<u8>) -> bool {
    let Some(chunk) = arena::find_chunk(block) else {
        return false;
    };
    if chunk.slices() == CHUNK_SLICES
        && let Some(mark) = mark_of(block)
    {
        mark.store(CHUNK, Relaxed);
    }
    chunk.has_page_at(block)
}

fn mark_of(address: NonNull<u8>) -> Option<&'static AtomicU8> {
    MARKS.get(address.addr().get() / CHUNK_BYTES)
}

/// The mark of a huge block's mapping, `lead_bytes` of which are before the block.
const fn huge(lead_bytes: usize) -> u8 {
    HUGE | lead_bytes.trailing_zeros() as u8
}

/// Notes that the mapping of a huge block starts at `start`, with `lead_bytes`, a power of two, before the
/// block; false where that cannot be noted.
pub(crate) fn mark_huge(start: NonNull<u8>, lead_bytes: usize) -> bool {
    debug_assert!(lead_bytes.is_power_of_two());
    let mark = mark_of(start);
    if let Some(mark) = mark {
        mark.store(huge(lead_bytes), Relaxed);
    }
    mark.is_some()
}

/// Forgets that the mapping of a huge block starts at `start`; before it is unmapped.
pub(crate) fn forget_huge(start: NonNull<u8>) {
    if let Some(mark) = mark_of(start) {
        mark.store(UNKNOWN, Relaxed);
    }
}

/// Whether the mapping of a huge block starts at `start`, a multiple of a chunk, and the block `lead_bytes`
/// from there.
pub(crate) fn is_huge(start: NonNull<u8>, lead_bytes: usize) -> bool {
    lead_bytes.is_power_of_two()
        && mark_of(start).is_some_and(|mark| mark.load(Relaxed) == huge(lead_bytes))
}
