//! Blocks of the program's global allocator, with something in them that must still be there.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

use crate::random::Random;
use crate::subject::layout;

/// A live block of the global allocator; its first and last bytes tell whose it is.
pub struct Live {
    start: *mut u8,
    size: usize,
}

// SAFETY: any thread may free a block, and nobody else has this one.
unsafe impl Send for Live {}

impl Live {
    /// Allocates `size` bytes, at least one, and writes to each of the OS pages; `None` without memory.
    #[must_use]
    pub fn new(size: usize) -> Option<Self> {
        // SAFETY: the size is not zero.
        let start = unsafe { alloc(Self::layout_of(size)) };
        if start.is_null() {
            return None;
        }
        let live = Self { start, size };
        live.each_mark(|byte, mark| {
            // SAFETY: in bounds (see each_mark()), and the block is ours.
            unsafe { byte.write(mark) };
        });
        Some(live)
    }

    fn layout_of(size: usize) -> Layout {
        layout(size, if size.is_multiple_of(16) { 16 } else { 1 })
    }

    /// Bytes that were asked for.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Calls `each` with some bytes of the block, one in every OS page at least, and what is in
    /// them.
    fn each_mark(&self, mut each: impl FnMut(*mut u8, u8)) {
        let mark = (self.start.addr() >> 3) as u8 ^ self.size as u8;
        let last = self.size - 1;
        for offset in (0..last).step_by(1024).chain([last]) {
            // SAFETY: below the size.
            each(
                unsafe { self.start.add(offset) },
                mark ^ (offset >> 10) as u8,
            );
        }
    }

    /// Frees the block after a look at it.
    ///
    /// # Panics
    /// When somebody wrote to it.
    pub fn free(self) {
        self.each_mark(|byte, mark| {
            // SAFETY: in bounds (see each_mark()) and written by new().
            let result = unsafe { byte.read() };
            assert_eq!(result, mark, "the block is as it was");
        });
        // SAFETY: allocated with this layout, and gone with `self`.
        unsafe { dealloc(self.start, Self::layout_of(self.size)) };
    }
}

/// Blocks linked through themselves: holding them takes no memory but theirs.
#[derive(Default)]
pub struct Chain {
    last: Option<NonNull<Link>>,
    bytes: usize,
}

/// What is in the first bytes of a chain's block.
struct Link {
    before: Option<NonNull<Link>>,
    size: usize,
}

// SAFETY: any thread may free a block, and nobody else has these.
unsafe impl Send for Chain {}

impl Chain {
    /// Bytes that were asked for.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a block of `size` bytes, or of as many as a link needs; false without memory.
    #[must_use]
    pub fn push(&mut self, size: usize) -> bool {
        let size = size.max(size_of::<Link>());
        // SAFETY: the size is not zero.
        let block = unsafe { alloc(Self::layout_of(size)) };
        let Some(link) = NonNull::new(block.cast::<Link>()) else {
            return false;
        };
        // SAFETY: the block has this size and is ours; a link fits it.
        unsafe {
            block.write_bytes(size as u8, size);
            link.write(Link {
                before: self.last,
                size,
            });
        }
        self.last = Some(link);
        self.bytes += size;
        true
    }

    fn layout_of(size: usize) -> Layout {
        layout(size, align_of::<Link>())
    }

    /// Frees the blocks, the youngest first.
    ///
    /// # Panics
    /// When somebody wrote to them.
    pub fn free(mut self) {
        while let Some(link) = self.last {
            // SAFETY: written by push().
            let Link { before, size } = unsafe { link.read() };
            if size > size_of::<Link>() {
                // SAFETY: the last byte of the block, written by push().
                let last = unsafe { link.cast::<u8>().add(size - 1).read() };
                assert_eq!(last, size as u8, "the block is as it was");
            }
            // SAFETY: allocated with this layout, and no longer in the chain.
            unsafe { dealloc(link.as_ptr().cast(), Self::layout_of(size)) };
            self.last = before;
        }
    }
}

/// A size as programs ask for: mostly small, and as many bytes in large ones as in small ones.
pub fn some_size(random: &mut Random, max: usize) -> usize {
    let bits = 4 + random.below(max.ilog2() as usize - 3);
    (1 + random.below(1 << bits)).min(max)
}

/// Blocks of at least `bytes` in all.
///
/// # Panics
/// Without memory.
pub fn some_blocks(random: &mut Random, bytes: usize, max: usize) -> Vec<Live> {
    let mut blocks = Vec::new();
    let mut total = 0;
    while total < bytes {
        let block = Live::new(some_size(random, max)).expect("there is memory");
        total += block.size();
        blocks.push(block);
    }
    blocks
}
