//! What is wrong with a block that is given back: looked for off the fast path, by the types whose
//! `hardening` has `pages` or `links`; by all types in debug builds, before anything else.
//!
//! The fast path takes a block only when nothing is suspicious (`Cache::push`), and reports nothing:
//! what it does not take comes here, before anything is done with it. Of a page's header only that is
//! read which stays as long as the page is in use, since the page may be another thread's.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::declared::Declared;
use super::route::{Route, route};
use super::{huge, sample};
use crate::config::Fault;
use crate::config::choices::Derived;
use crate::mem::block::Block;
use crate::mem::page::Page;
use crate::mem::report::report;
use crate::mem::{arena, chunk, regions};

/// In debug builds of a type that trusts the program: ends the process unless `block` is one of this type and of `layout`.
/// In a model it would be most of what there is to interleave.
#[inline(always)]
pub(crate) fn debug_check<D: Declared>(block: *mut u8, layout: Layout) {
    if D::DISTRUSTS && !D::PAGES {
        check::<D>(block, layout);
    }
}

#[inline(never)]
fn check<D: Declared>(block: *mut u8, layout: Layout) {
    match route::<D>(layout) {
        Route::Class(class) => look_at_block::<D>(block, class),
        Route::Large { slices, .. } => look_at_large::<D>(block, Some(slices)),
        Route::Huge { bytes } => look_at_huge::<D>(block, bytes),
        Route::Impossible => {}
    }
}

/// Ends the process unless `block` is one of `class` of this type, and in use.
///
/// # Safety
/// - where `pages` is off: `block` is a block of this class.
#[inline]
pub(crate) unsafe fn check_block<D: Declared>(block: *mut u8, class: usize) {
    if D::PAGES {
        look_at_block::<D>(block, class);
    }
    // A sampled block is not signed.
    // SAFETY: a block of this type: found, or promised.
    if D::LINKS && !sample::is_sampled::<D>(block) && unsafe { Block::is_signed(block.cast()) } {
        report::<D>(Fault::DoubleFree, block.addr(), Some(D::block_bytes(class)));
    }
}

/// Ends the process unless `block` is a large one of this type and of `slices`, in use.
#[inline]
pub(crate) fn check_large<D: Declared>(block: *mut u8, slices: Option<usize>) {
    if D::PAGES {
        look_at_large::<D>(block, slices);
    }
}

/// Ends the process unless `block` is a huge one of this type and of `bytes`, in use, as far as is noted.
#[inline]
pub(crate) fn check_huge<D: Declared>(block: *mut u8, bytes: usize) {
    if D::PAGES {
        look_at_huge::<D>(block, bytes);
    }
}

/// A sampled block is in no page: its free looks for itself.
#[inline]
fn look_at_block<D: Declared>(block: *mut u8, class: usize) {
    if !sample::is_sampled::<D>(block) && !is_block_of::<D>(block, class) {
        blame::<D>(block, Some(class));
    }
}

#[inline]
fn look_at_large<D: Declared>(block: *mut u8, slices: Option<usize>) {
    if !is_large_of::<D>(block, slices) {
        blame::<D>(block, None);
    }
}

fn look_at_huge<D: Declared>(block: *mut u8, bytes: usize) {
    if is_in_arena::<D>(block) {
        blame::<D>(block, None);
    }
    if let Some(fault) = huge::fault_of(D::shared().account(), block, bytes) {
        report::<D>(fault, block.addr(), None);
    }
}

/// Whether an address is in the arena, where headers can be looked at.
fn is_in_arena<D: Declared>(address: *mut u8) -> bool {
    if D::PAGES && regions::is_in_known_chunk(address) {
        return chunk::has_page_header(address);
    }
    match NonNull::new(address) {
        Some(address) if D::PAGES => regions::is_in_arena(address),
        // Debug builds alone come here, and do without the table of regions.
        Some(address) => arena::find_chunk(address).is_some_and(|chunk| chunk.has_page_at(address)),
        None => false,
    }
}

fn is_block_of<D: Declared>(block: *mut u8, class: usize) -> bool {
    if !is_in_arena::<D>(block) {
        return false;
    }
    let start = block.map_addr(|address| address & !(D::page_bytes(class) - 1));
    // SAFETY: in the same chunk as the block.
    let page = unsafe { Page::of_slice(start) };
    chunk::has_page_header(start)
        && page.type_id() == D::shared().type_id()
        && page.block_bytes() as usize == D::block_bytes(class)
        && D::is_block_start(block.addr() - start.addr(), class)
        && block.addr() - start.addr() < page.reserved() as usize * D::block_bytes(class)
}

fn is_large_of<D: Declared>(block: *mut u8, slices: Option<usize>) -> bool {
    if !is_in_arena::<D>(block) {
        return false;
    }
    // SAFETY: in the arena.
    let page = unsafe { Page::of_slice(block) };
    page.type_id() == D::shared().type_id()
        && page.is_large()
        && page.start() == block
        && slices.is_none_or(|slices| page.slices() as usize == slices)
}

/// Ends the process over `block`, which is none of `class` (`None`: no large one) in use.
#[cold]
#[inline(never)]
fn blame<D: Declared>(block: *mut u8, class: Option<usize>) -> ! {
    let (fault, class) = if is_in_arena::<D>(block) {
        // SAFETY: in the arena.
        let page = unsafe { Page::holding(block) };
        // C says no class, and the headers of a large block's later slices none that is one.
        let is_inside = page.is_some_and(|page| page.is_large() && page.start() != block);
        let class = class.filter(|_| !is_inside);
        (fault_of::<D>(block, class, page), class)
    } else {
        let misfit = huge::misfit(D::shared().account(), block);
        (misfit.unwrap_or(Fault::NotOurs), class)
    };
    let class_bytes = class.map(D::block_bytes);
    report::<D>(fault, block.addr(), class_bytes)
}

/// What is wrong with `block` as one of `class`, being in `page`.
fn fault_of<D: Declared>(block: *mut u8, class: Option<usize>, page: Option<&Page>) -> Fault {
    let Some(page) = page else {
        // The page has gone, because all its blocks were free.
        return Fault::DoubleFree;
    };
    if page.type_id() != D::shared().type_id() {
        return Fault::OtherType;
    }
    let is_class = match class {
        Some(class) => page.block_bytes() as usize == D::block_bytes(class),
        None => page.is_large(),
    };
    match is_class {
        false => Fault::OtherClass,
        true if class.is_none() && page.start() == block => Fault::OtherClass,
        true => Fault::NotABlock,
    }
}
