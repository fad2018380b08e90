//! The quarantine: with `hardening(quarantine = N)` blocks of classes that the owner of a heap freed, be they
//! of its pages or of others', wait here before anybody can have them again. While they wait they are free
//! blocks like any other, so one that is freed again or written to is found as the rest of `hardening` has it.
//!
//! First in, first out. The owner's inside the gate, and a visitor's that it let in: one sends home what
//! waits, because a block that waits keeps a page of a thread that may be idle for long.
//!
//! 1. `line` is linked from the oldest block to the youngest, which is linked to null. Its blocks count as
//!    used in their pages.
//! 2. `bytes` is what they take together; more than the type wants only while a block is being added.

use core::ptr;

use crate::base::sync::{AtomicUsize, Cell, Ordering};
use crate::config::choices::{Choices, Derived};
use crate::config::size_class::BIN_BYTES;
use crate::mem::block::{Block, BlockList};
use crate::mem::page::Page;

/// Blocks that wait. All zero is none.
pub(super) struct Quarantine {
    /// Inv. 1.
    line: Cell<BlockList>,
    /// The class of the youngest.
    tail_class: Cell<usize>,
    /// Inv. 2.
    bytes: AtomicUsize,
}

impl Quarantine {
    /// Whether nothing waits; a hint outside the gate.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    fn bytes(&self) -> usize {
        // Relaxed: written inside the gate only, and a hint outside.
        self.bytes.load(Ordering::Relaxed)
    }

    fn set_bytes(&self, bytes: usize) {
        // Relaxed: as in bytes().
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Puts a block at the end of the line. Inside the gate.
    ///
    /// # Safety
    /// - `block` is a block of `class` that its user gave back.
    pub(super) unsafe fn add<C: Choices>(&self, class: usize, block: *mut Block) {
        let mut line = self.line.get();
        // SAFETY: given back by its user.
        unsafe { Block::set_next::<C>(block, ptr::null_mut()) };
        if line.count == 0 {
            line.head = block;
        } else {
            // Looked at before it is signed anew.
            // SAFETY: the line is the caller's.
            let end = unsafe { Block::next::<C>(line.tail, C::block_bytes(self.tail_class.get())) };
            debug_assert!(end.is_null());
            // SAFETY: as above.
            unsafe { Block::set_next::<C>(line.tail, block) };
        }
        line.tail = block;
        line.count += 1;
        self.line.set(line);
        self.tail_class.set(class);
        self.set_bytes(self.bytes() + C::block_bytes(class));
    }

    /// Takes the oldest block, and says of which class it is, if those that wait take more than `most` bytes.
    /// Inside the gate.
    pub(super) fn take_over<C: Choices>(&self, most: usize) -> Option<(usize, *mut u8)> {
        if self.bytes() <= most {
            return None;
        }
        let mut line = self.line.get();
        let block = line.head;
        // SAFETY: a block of a page, where its class's bin was noted, because the type has a quarantine.
        let class = unsafe { Page::bin_of(block.cast()) } as usize / BIN_BYTES;
        // SAFETY: the line is the caller's, and not empty: it takes bytes.
        line.head = unsafe { Block::next::<C>(block, C::block_bytes(class)) };
        line.count -= 1;
        self.line.set(line);
        self.set_bytes(self.bytes() - C::block_bytes(class));
        Some((class, block.cast()))
    }

    /// Asserts the invariants.
    pub(super) fn check<C: Choices>(&self) {
        let (line, mut bytes, mut count) = (self.line.get(), 0, 0);
        let mut block = line.head;
        while count < line.count {
            // SAFETY: as in take_over().
            let class = unsafe { Page::bin_of(block.cast()) } as usize / BIN_BYTES;
            bytes += C::block_bytes(class);
            count += 1;
            // SAFETY: the line is the caller's.
            block = unsafe { Block::next::<C>(block, C::block_bytes(class)) };
        }
        assert!(block.is_null(), "quarantine invariant 1");
        assert_eq!(bytes, self.bytes(), "quarantine invariant 2");
        assert!(bytes <= C::QUARANTINE, "quarantine invariant 2");
    }
}
