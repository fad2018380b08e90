//! What an address is that C gives back.

use core::ptr::NonNull;

use crate::config::choices::Derived;
use crate::config::size_class::BIN_BYTES;
use crate::heap::declared::Exported;
use crate::heap::huge_headed::{self, Head};
use crate::heap::large::{self, no_bin};
use crate::heap::{canary, misuse, sample};
use crate::mem::page::{Page, State};
use crate::mem::{regions, zero_sized};

/// What an address is.
pub(super) enum Found {
    /// A block of this class.
    Class(usize),
    /// A large block.
    Large(&'static Page),
    /// A huge block.
    Huge(Head),
    /// A block of no bytes.
    ZeroSized,
    /// Nothing of this type.
    Nothing,
}

/// What `block` is. Of an address inside a block, or of a block that is free, anything may be said, but
/// where `hardening` looks: that ends the process.
///
/// # Safety
/// - `block` is an address that the OS gave to somebody in this process.
pub(super) unsafe fn find<D: Exported>(block: NonNull<u8>) -> Found {
    let start = block.as_ptr();
    if sample::is_sampled::<D>(start) {
        return sample::class_of::<D>(block).map_or(Found::Nothing, Found::Class);
    }
    if D::GUARDS && zero_sized::contains(start) {
        return Found::ZeroSized;
    }
    // SAFETY: the caller's promise.
    let is_known = unsafe { is_in_chunk::<D>(start) };
    if !is_known && !regions::is_in_arena(block) {
        let head = huge_headed::find(D::shared().account(), block);
        return head.map_or(Found::Nothing, Found::Huge);
    }
    // SAFETY: in the arena. What is not handed out has a header, too, whatever it says.
    let offset = unsafe { Page::bin_of(start) };
    if offset < no_bin::<D>() {
        let class = offset as usize / BIN_BYTES;
        // SAFETY: of this class, as far as `pages` does not look.
        unsafe { misuse::check_block::<D>(start, class) };
        return Found::Class(class);
    }
    misuse::check_large::<D>(start, None);
    // SAFETY: in a chunk.
    match unsafe { Page::find(start) } {
        Some(page) if page.state() == State::Large && page.start() == start => Found::Large(page),
        _ => Found::Nothing,
    }
}

/// Whether `address` is known to lie in a whole chunk.
///
/// # Safety
/// - where `pages` is off: `address` is null or one that the OS gave to somebody in this process.
#[inline(always)]
pub(super) unsafe fn is_in_chunk<D: Exported>(address: *mut u8) -> bool {
    if D::PAGES {
        return regions::is_in_known_chunk(address);
    }
    // SAFETY: the caller's promise.
    unsafe { regions::is_in_chunk(address) }
}

impl Found {
    /// The class of the block, if it is of one.
    pub(super) fn class(&self) -> Option<usize> {
        match self {
            Found::Class(class) => Some(*class),
            _ => None,
        }
    }

    /// Bytes that the block has for its user.
    ///
    /// # Safety
    /// - `block` is what this was found to be.
    pub(super) unsafe fn usable_bytes<D: Exported>(&self, block: NonNull<u8>) -> usize {
        let bytes = match self {
            Found::Class(class) => D::block_bytes(*class),
            Found::Large(page) => large::usable_bytes::<D>(page),
            Found::Huge(head) => return head.block_bytes(),
            Found::ZeroSized | Found::Nothing => return 0,
        };
        // SAFETY: the caller's promise.
        unsafe { canary::asked::<D>(block.as_ptr(), bytes, self.class()) }
    }
}
