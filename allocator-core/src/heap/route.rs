//! Which way a layout goes: a size class, whole slices, or a mapping of its own.
//!
//! The way follows from the layout alone, so that a free, which is told the
//! layout, finds the same way without reading memory.

use core::alloc::Layout;

use crate::base::align::{align_up, checked_align_up};
use crate::config::choices::{Choices, Derived};
use crate::config::geometry::GUARD_BYTES;
use crate::config::size_class::{self, direct_index};
use crate::mem::arena::RUN_SLICES_MAX;
use crate::mem::chunk::SLICE_BYTES;
use crate::os::OS_PAGE_BYTES;

/// Most bytes of a large block; above, a block has a mapping of its own.
const fn large_bytes_max<C: Choices>() -> usize {
    RUN_SLICES_MAX * SLICE_BYTES - guard_bytes::<C>(usize::MAX)
}

/// Least size of a large block that has room for a guard where only `ends` are to have one: which may be a slice more.
const ENDED_BYTES_MIN: usize = 1 << 20;

/// Bytes that are kept for a guard behind a large block for `size`.
const fn guard_bytes<C: Choices>(size: usize) -> usize {
    if C::GUARDS || C::ENDS && size >= ENDED_BYTES_MIN {
        GUARD_BYTES
    } else {
        0
    }
}

/// Strictest alignment of a large block.
const LARGE_ALIGN_MAX: usize = RUN_SLICES_MAX * SLICE_BYTES;

/// The way of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// A block of this size class.
    Class(usize),
    /// This many slices in a row, from a multiple of `align` slices; the block has `bytes` of them, and
    /// what is behind it is a guard.
    Large {
        slices: usize,
        align: usize,
        bytes: usize,
    },
    /// A mapping of this many bytes.
    Huge { bytes: usize },
    /// More than any address space has.
    Impossible,
}

/// Whether the class of `layout` is looked up in one load. Folds for a constant layout.
#[inline(always)]
pub(crate) fn is_direct<C: Choices>(layout: Layout) -> bool {
    layout.size() <= C::CONFIG.fast_path.direct_max as usize && layout.align() <= C::QUANTUM
}

/// The offset of the bin for a size up to `direct_max`.
#[inline(always)]
pub(crate) fn bin_offset<C: Choices>(size: usize) -> u16 {
    // SAFETY: the table has an entry for every size up to `direct_max` (contract of `Choices`).
    unsafe { *C::direct_table().get_unchecked(direct_index(size)) }
}

/// The way of `layout` in type `C`.
#[inline]
pub(crate) fn route<C: Choices>(layout: Layout) -> Route {
    let (size, align) = (layout.size(), layout.align());
    if size <= C::MAX_CLASS_BYTES {
        let class = size_class::search(C::CONFIG.class_bytes, size, align);
        // Within a page, no block is aligned better than the page itself.
        if let Some(class) = class.filter(|_| align <= C::CONFIG.page_bytes as usize) {
            return Route::Class(class);
        }
    }
    if !is_huge::<C>(layout) {
        let guard_bytes = guard_bytes::<C>(size);
        let slices = (size + guard_bytes).div_ceil(SLICE_BYTES).max(1);
        return Route::Large {
            slices,
            align: align.div_ceil(SLICE_BYTES),
            bytes: match guard_bytes {
                0 => slices * SLICE_BYTES,
                _ => align_up(size.max(1), OS_PAGE_BYTES),
            },
        };
    }
    match checked_align_up(size.max(1), OS_PAGE_BYTES) {
        Some(bytes) => Route::Huge { bytes },
        None => Route::Impossible,
    }
}

/// Whether `layout` goes into a mapping of its own: what [`route`] says of it is `Huge` or `Impossible`.
pub(crate) fn is_huge<C: Choices>(layout: Layout) -> bool {
    layout.size() > large_bytes_max::<C>() || layout.align() > LARGE_ALIGN_MAX
}

/// Bytes that a block of this way really has.
pub(crate) fn usable_bytes<C: Choices>(route: Route) -> usize {
    match route {
        Route::Class(class) => C::block_bytes(class),
        Route::Large { bytes, .. } => bytes,
        Route::Huge { bytes } => bytes,
        Route::Impossible => 0,
    }
}
