//! A live block that knows what it was filled with, and says so when it was written to.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::subject::{Subject, layout};

/// Blocks up to this size are filled and verified whole; of larger ones this much at the start,
/// one word of every [`STRIDE`] bytes, and the end.
const DENSE_BYTES: usize = 4 << 10;
/// Bytes from one word that is looked at to the next, past `DENSE_BYTES`.
const STRIDE: usize = 512;
const WORD: usize = size_of::<u64>();

/// A live block of `A`. Freed by [`Block::free`] only.
#[derive(Debug)]
pub struct Block<A> {
    start: NonNull<u8>,
    layout: Layout,
    /// Bytes that are filled: all that are usable.
    filled: usize,
    cookie: u64,
    of: PhantomData<A>,
}

// SAFETY: a block of a declared type may be freed by any thread, and nobody else has this one.
unsafe impl<A> Send for Block<A> {}

impl<A: Subject> Block<A> {
    /// Allocates a block and fills it; `None` when there is none.
    ///
    /// # Panics
    /// When the block is not aligned, not as long as asked for, or not zero although zeroed.
    #[must_use]
    pub fn new(size: usize, align: usize, zeroed: bool, cookie: u64) -> Option<Self> {
        let layout = layout(size, align);
        let start = if zeroed {
            A::allocate_zeroed(layout)?
        } else {
            A::allocate(layout)?
        };
        assert!(
            start.addr().get().is_multiple_of(align),
            "{start:p} for {layout:?}"
        );
        let block = Self::at(start, layout, cookie);
        if zeroed {
            block.assert_zero(0, size);
        }
        block.fill();
        Some(block)
    }

    fn at(start: NonNull<u8>, layout: Layout, cookie: u64) -> Self {
        let filled = A::usable_size(layout);
        assert!(
            filled >= layout.size(),
            "{filled} usable bytes for {layout:?}"
        );
        Self {
            start,
            layout,
            filled,
            cookie,
            of: PhantomData,
        }
    }

    /// First address, and the first behind all usable bytes.
    #[must_use]
    pub fn span(&self) -> (usize, usize) {
        let start = self.start.addr().get();
        (start, start + self.filled)
    }

    /// What was asked for.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Where the block is.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Fills all usable bytes.
    fn fill(&self) {
        for (offset, bytes) in words(self.filled) {
            let pattern = pattern(self.cookie, offset).to_le();
            // SAFETY: in bounds (see words()), and the block is ours.
            unsafe {
                let word = self.start.as_ptr().add(offset);
                // Nearly all are whole, and unoptimised a copy takes ten times as long.
                if bytes == WORD {
                    word.cast::<u64>().write_unaligned(pattern);
                } else {
                    word.copy_from_nonoverlapping(pattern.to_ne_bytes().as_ptr(), bytes);
                }
            }
        }
    }

    /// Asserts that nobody wrote to the block.
    ///
    /// # Panics
    /// When somebody did.
    #[track_caller]
    pub fn verify(&self) {
        self.verify_first(self.filled);
    }

    #[track_caller]
    fn verify_first(&self, bytes: usize) {
        for (offset, filled) in words(self.filled) {
            let checked = bytes.saturating_sub(offset).min(filled);
            if checked == WORD {
                // SAFETY: as below.
                let found = unsafe { self.start.add(offset).cast::<u64>().read_unaligned() };
                let expected = pattern(self.cookie, offset);
                if found != expected.to_le() {
                    self.report(offset, u64::from_le(found), expected);
                }
                continue;
            }
            let mut found = [0; WORD];
            // SAFETY: in bounds (see words()), and fill() initialised it.
            unsafe {
                let word = self.start.as_ptr().add(offset);
                word.copy_to_nonoverlapping(found.as_mut_ptr(), checked);
            }
            let expected = pattern(self.cookie, offset).to_le_bytes();
            if found[..checked] != expected[..checked] {
                let [found, expected] = [found, expected].map(u64::from_le_bytes);
                self.report(offset, found, expected);
            }
        }
    }

    #[cold]
    #[track_caller]
    fn report(&self, offset: usize, found: u64, expected: u64) -> ! {
        panic!(
            "block {:p} of {:?}, cookie {:#x}: the word at {offset} is {found:#x}, not {expected:#x}",
            self.start, self.layout, self.cookie,
        );
    }

    #[track_caller]
    fn assert_zero(&self, from: usize, to: usize) {
        // SAFETY: in bounds: `to` is at most the size; `alloc_zeroed` initialised it.
        let bytes = unsafe {
            std::slice::from_raw_parts(self.start.add(from).as_ptr(), to.saturating_sub(from))
        };
        // By pieces: the C library compares them, and not an unoptimised loop.
        static ZEROS: [u8; 4096] = [0; 4096];
        let mut pieces = bytes.chunks(ZEROS.len());
        assert!(
            pieces.all(|piece| *piece == ZEROS[..piece.len()]),
            "block {:p} of {:?} is not zero",
            self.start,
            self.layout,
        );
    }

    /// Reallocates; false when the allocator has no memory, and then the block is as it was.
    ///
    /// # Panics
    /// When the content is not kept or the alignment is wrong.
    #[track_caller]
    pub fn reallocate(&mut self, new_size: usize) -> bool {
        let new_layout = layout(new_size, self.layout.align());
        // SAFETY: the block is live and has this layout, and the new size makes a layout.
        let Some(start) = (unsafe { A::reallocate(self.start, self.layout, new_size) }) else {
            self.verify();
            return false;
        };
        assert!(
            start.addr().get().is_multiple_of(new_layout.align()),
            "{start:p} for {new_layout:?}"
        );
        let kept = self.layout.size().min(new_size);
        let moved = Self::at(start, new_layout, self.cookie);
        Self {
            // The pattern's offsets are those of the old length.
            filled: self.filled,
            ..moved
        }
        .verify_first(kept);
        *self = moved;
        self.fill();
        true
    }

    /// Verifies and frees the block.
    ///
    /// # Panics
    /// When somebody wrote to it.
    #[track_caller]
    pub fn free(self) {
        self.verify();
        // SAFETY: the block is live, of this layout, and gone with `self`.
        unsafe { A::deallocate(self.start, self.layout) };
    }
}

/// Where the words that are looked at begin in a block of this many bytes, and how many bytes each has: a
/// word's, but for one that begins less before the next, or the end. The last one ends with the block.
fn words(bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    let last = bytes.saturating_sub(WORD);
    let dense = (0..last.min(DENSE_BYTES)).step_by(WORD);
    let sparse = (DENSE_BYTES..last).step_by(STRIDE);
    let before = dense.chain(sparse);
    let before = before.map(move |offset| (offset, WORD.min(last - offset)));
    before.chain([(last, WORD.min(bytes))])
}

/// The word at an offset of a block: differs from block to block and from place to place.
fn pattern(cookie: u64, offset: usize) -> u64 {
    (cookie ^ offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}
