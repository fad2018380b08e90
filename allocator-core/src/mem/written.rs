//! Whether somebody wrote where nobody should: to free blocks, looked at when they are taken off their
//! lists to be handed out, and behind blocks in use.
//!
//! With `hardening(zero)` a free block is zero but for its link, and its note where it has one:
//! 1. Blocks are cleared when they are threaded and when their user gives them back.
//! 2. What is handed out is zero all over.

use core::ptr::NonNull;

use super::block::Block;
use super::keys;
use super::page::Page;
use super::report::report;
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};

/// Ends the process: a block that was free has been written to.
///
/// # Safety
/// - `block` is one of a page of type `C`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn free_block_written<C: Choices>(block: *mut Block) -> ! {
    // SAFETY: the block is in a page, hence in a chunk.
    let page = unsafe { Page::holding(block.cast()) };
    let class_bytes = page.map(|page| page.block_bytes() as usize);
    report::<C>(Fault::FreeBlockWritten, block.addr(), class_bytes)
}

/// Clears what a block held as a free one, and checks what it is not to have held.
///
/// # Safety
/// - `block` is a free one of type `C` and of `class` that is on no list.
pub(crate) unsafe fn hand_out<C: Choices>(block: *mut Block, class: usize) {
    // SAFETY: the caller's promise.
    if C::LINKS && unsafe { Block::unsign(block) }.is_none() {
        // SAFETY: the caller's promise.
        unsafe { free_block_written::<C>(block) };
    }
    // SAFETY: the caller's promise.
    unsafe { check_zero::<C>(block, class) };
}

/// Words of a free block that are link and note.
const fn words_in_use<C: Choices>() -> usize {
    if C::LINKS { 2 } else { 1 }
}

/// Bytes that are cleared or looked at together. Blocks of a class are a multiple of 8 bytes.
const UNIT: usize = 2 * size_of::<usize>();
/// What is cleared or looked at without a branch: up to so many units, each where it is, or the last ones
/// where the last one is. Sizes come mixed, so that a branch for each would be guessed wrong.
const UNITS: usize = 4;

/// Where the unit with this index is in `bytes`, of which there are at least as many.
#[inline(always)]
fn unit_at(index: usize, bytes: usize) -> usize {
    (index * UNIT).min(bytes - UNIT)
}

/// Clears a block that its user gave back (Inv. 1), if the type does so. Link and note are left alone:
/// what takes the block writes them, or has.
///
/// # Safety
/// - `block` is one of type `C` and `class`, in a page, that nobody uses.
#[inline(always)]
pub(crate) unsafe fn clear<C: Choices>(block: *mut u8, class: usize) {
    if !C::ZERO {
        return;
    }
    let from = words_in_use::<C>() * size_of::<usize>();
    let bytes = C::block_bytes(class).saturating_sub(from);
    // SAFETY: the rest of the block; classes are no smaller than what a free block holds.
    unsafe {
        let start = block.add(from);
        if (UNIT..=UNITS * UNIT).contains(&bytes) {
            for index in 0..UNITS {
                let unit = start.add(unit_at(index, bytes));
                unit.cast::<[usize; 2]>().write_unaligned([0; 2]);
            }
        } else if bytes > UNITS * UNIT {
            start.write_bytes(0, bytes);
        } else if bytes > 0 {
            start.cast::<usize>().write(0);
        }
    }
}

/// Ends the process unless a block that is taken off its list is as it was cleared; then it is zero
/// (Inv. 2). Nothing where the type does not clear.
///
/// # Safety
/// - as [`hand_out`]; where links are signed, link and note have been cleared.
#[inline(always)]
pub(crate) unsafe fn check_zero<C: Choices>(block: *mut Block, class: usize) {
    if !C::ZERO {
        return;
    }
    let from = words_in_use::<C>() * size_of::<usize>();
    let bytes = C::block_bytes(class).saturating_sub(from);
    // SAFETY: the rest of the block, and initialised: cleared (Inv. 1).
    if unsafe { set_bits(block.cast::<u8>().add(from), bytes) } != 0 {
        // SAFETY: the caller's promise.
        unsafe { free_block_written::<C>(block) };
    }
    if !C::LINKS {
        // SAFETY: the block is the caller's, and a word long.
        unsafe { block.cast::<usize>().write(0) };
    }
}

/// The bits that are set in any word of these bytes, a multiple of 8.
///
/// # Safety
/// - the bytes are the caller's, and initialised.
#[inline(always)]
unsafe fn set_bits(start: *mut u8, bytes: usize) -> usize {
    if bytes < UNIT {
        return match bytes {
            0 => 0,
            // SAFETY: one word.
            _ => unsafe { start.cast::<usize>().read() },
        };
    }
    let mut bits = [0; 2];
    let mut look_at = |at| {
        // SAFETY: the unit lies within the bytes.
        let unit = unsafe { start.add(at).cast::<[usize; 2]>().read_unaligned() };
        bits = [bits[0] | unit[0], bits[1] | unit[1]];
    };
    for index in 0..UNITS {
        look_at(unit_at(index, bytes));
    }
    if bytes > UNITS * UNIT {
        let mut at = UNITS * UNIT;
        while at + 2 * UNIT <= bytes {
            look_at(at);
            look_at(at + UNIT);
            at += 2 * UNIT;
        }
        look_at(unit_at(at / UNIT, bytes));
        look_at(bytes - UNIT);
    }
    bits[0] | bits[1]
}

/// The address of the first word that is not zero, if one is.
///
/// # Safety
/// - the bytes from `start` on, whole words, are the caller's, and initialised.
pub(crate) unsafe fn first_written(start: NonNull<u8>, bytes: usize) -> Option<usize> {
    /// What is looked at together.
    const PIECE: usize = 512;
    for piece in (0..bytes).step_by(PIECE) {
        // SAFETY: within the bytes.
        let (piece, piece_bytes) = (unsafe { start.add(piece) }, (bytes - piece).min(PIECE));
        // SAFETY: as above.
        if unsafe { set_bits(piece.as_ptr(), piece_bytes) } != 0 {
            let mut words = (0..piece_bytes).step_by(size_of::<usize>());
            // SAFETY: as above.
            let is_set = |at: &usize| unsafe { piece.add(*at).cast::<usize>().read() } != 0;
            return words.find(is_set).map(|at| piece.addr().get() + at);
        }
    }
    None
}

/// What stands at `end`, behind a block. Nowhere the same, and never with a 0 first, which is what a text
/// that is too long ends with.
#[inline(always)]
fn mark(end: *mut u8) -> u64 {
    (keys::end() ^ end.addr()) as u64 | 1
}

/// Writes what is to stand behind a block.
///
/// # Safety
/// - the eight bytes from `end` on are the caller's.
#[inline(always)]
pub(crate) unsafe fn sign_end(end: *mut u8) {
    // SAFETY: the caller's promise; a request may end anywhere.
    unsafe { end.cast::<u64>().write_unaligned(mark(end).to_le()) };
}

/// How what stands at `end` differs from what was written there.
///
/// # Safety
/// - the eight bytes from `end` on are part of a block of a type that signs them.
#[inline(always)]
unsafe fn difference(end: *mut u8) -> u64 {
    // SAFETY: the caller's promise.
    u64::from_le(unsafe { end.cast::<u64>().read_unaligned() }) ^ mark(end)
}

/// Whether what [`sign_end`] wrote still stands there.
///
/// # Safety
/// - as [`difference`].
#[inline(always)]
pub(crate) unsafe fn is_end_signed(end: *mut u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe { difference(end) == 0 }
}

/// Bits of what ends a block below those that say how much of it was not asked for.
const UNUSED_SHIFT: u32 = 32;

/// Signs the end of what was asked for, and that of a block of `bytes`, which says where the first is.
///
/// # Safety
/// - the block is the caller's; `asked` is at least eight less than `bytes`.
#[inline(always)]
pub(crate) unsafe fn sign_ends(block: *mut u8, asked: usize, bytes: usize) {
    let unused = bytes - size_of::<u64>() - asked;
    // SAFETY: within the block.
    let last = unsafe { block.add(asked + unused) };
    let both = mark(last) ^ (unused as u64) << UNUSED_SHIFT;
    // The first may reach into the second, which is written last.
    // SAFETY: within the block, the caller's own.
    unsafe {
        sign_end(block.add(asked));
        last.cast::<u64>().write_unaligned(both.to_le());
    }
}

/// What was asked for of a block of `bytes`; `None` when somebody wrote behind that.
///
/// # Safety
/// - the block is in use, of a type that signs both ends.
#[inline(always)]
pub(crate) unsafe fn asked(block: *mut u8, bytes: usize) -> Option<usize> {
    let last = bytes - size_of::<u64>();
    // SAFETY: within the block.
    let said = unsafe { difference(block.add(last)) };
    let unused = (said >> UNUSED_SHIFT) as usize;
    if said as u32 != 0 || unused > last {
        return None;
    }
    // Of the first, what lies before the second.
    let shown = (unused as u32).min(8) * 8;
    let shown = 1_u64.checked_shl(shown).map_or(u64::MAX, |bit| bit - 1);
    // SAFETY: within the block.
    let changed = unsafe { difference(block.add(last - unused)) } & shown;
    (changed == 0).then_some(last - unused)
}
