//! Which blocks are sampled, and what becomes of them: with `sample`, one block in so many lies in OS
//! pages of its own (`mem/samples.rs`).
//!
//! The fast path knows nothing of it. It is counted when a bin is filled, by the blocks that come
//! into hand; when enough have, the allocation that found the bin empty gets a sampled block. Its free finds
//! that no bin takes it, and leaves the fast path, where it is told by its address.

use core::ptr;
use core::ptr::NonNull;

use super::declared::Declared;
use super::heap::Heap;
use crate::config::Fault;
use crate::config::choices::{Choices, Derived};
use crate::mem::block::Block;
use crate::mem::samples;

/// Whether a block of the type is a sampled one.
#[inline(always)]
pub(crate) fn is_sampled<C: Choices>(block: *mut u8) -> bool {
    C::SAMPLE > 0 && samples::contains(block)
}

impl<C: Choices> Heap<C> {
    /// Counts `blocks` that came into hand; whether one is to be sampled.
    pub(super) fn is_sample_due(&self, blocks: u32) -> bool {
        if C::SAMPLE == 0 {
            return false;
        }
        let left = match self.until_sample.get() {
            // Not begun: anywhere, so that short threads are sampled, too.
            0 => 1 + self.random() % C::SAMPLE,
            left => left,
        };
        let is_due = left <= blocks;
        self.until_sample.set(if is_due {
            // From half to one and a half times as many: a program's own rhythm is to hide nothing.
            1 + C::SAMPLE / 2 + self.random() % C::SAMPLE
        } else {
            left - blocks
        });
        is_due
    }

    /// A number that differs from time to time, and from heap to heap and run to run.
    fn random(&self) -> u32 {
        let seed = ptr::from_ref(self).addr() as u64 ^ u64::from(self.cycle.get()) << 40;
        (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
    }
}

/// A sampled block of `class`; null when there is none to be had, for which an ordinary one will do.
#[cold]
#[inline(never)]
pub(super) fn allocate<D: Declared>(class: usize) -> *mut Block {
    let (shared, bytes) = (D::shared(), D::block_bytes(class));
    let account = shared.account();
    let pages_bytes = samples::pages_bytes(bytes);
    if !account.charge(pages_bytes) {
        return ptr::null_mut();
    }
    match samples::allocate(shared.type_id(), account.tenant(), bytes) {
        Some(block) => block.as_ptr().cast(),
        None => {
            account.discharge(pages_bytes);
            ptr::null_mut()
        }
    }
}

/// Frees a sampled block of `class`. What is wrong with it otherwise; nothing is done then.
///
/// # Safety
/// - [`is_sampled`] says yes to `block`, which its user gave back.
#[cold]
#[inline(never)]
pub(crate) unsafe fn free<D: Declared>(block: NonNull<u8>, class: usize) -> Result<(), Fault> {
    let (shared, bytes) = (D::shared(), D::block_bytes(class));
    // SAFETY: the caller's promise.
    unsafe { samples::free(block, shared.type_id(), bytes)? };
    shared.account().discharge(samples::pages_bytes(bytes));
    Ok(())
}

/// The class of the sampled block at an address that [`is_sampled`] says yes to; `None` when no block of
/// the type starts there.
pub(crate) fn class_of<D: Declared>(block: NonNull<u8>) -> Option<usize> {
    let bytes = samples::block_bytes(block, D::shared().type_id())?;
    let classes = D::CONFIG.class_bytes;
    classes.iter().position(|&class| class as usize == bytes)
}
