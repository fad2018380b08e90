//! Which way a layout goes: a size class, whole slices, or a mapping of its own.
//!
//! The way follows from the layout alone, so that a free, which is told the
//! layout, finds the same way without reading memory.

use core::alloc::Layout;

use crate::base::align::checked_align_up;
use crate::config::choices::{Choices, Derived};
use crate::config::size_class;
use crate::mem::arena::RUN_SLICES_MAX;
use crate::mem::chunk::SLICE_BYTES;
use crate::os::OS_PAGE_BYTES;

/// Most bytes of a large block; above, a block has a mapping of its own.
pub(crate) const LARGE_BYTES_MAX: usize = RUN_SLICES_MAX * SLICE_BYTES;

/// Strictest alignment of a large block.
const LARGE_ALIGN_MAX: usize = LARGE_BYTES_MAX;

/// The way of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// A block of this size class.
    Class(usize),
    /// This many slices in a row, from a multiple of `align` slices.
    Large { slices: usize, align: usize },
    /// A mapping of this many bytes.
    Huge { bytes: usize },
    /// More than any address space has.
    Impossible,
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
    if size <= LARGE_BYTES_MAX && align <= LARGE_ALIGN_MAX {
        return Route::Large {
            slices: size.div_ceil(SLICE_BYTES).max(1),
            align: align.div_ceil(SLICE_BYTES),
        };
    }
    match checked_align_up(size.max(1), OS_PAGE_BYTES) {
        Some(bytes) => Route::Huge { bytes },
        None => Route::Impossible,
    }
}

/// Whether `layout` goes into a mapping of its own, in every type: what [`route`] says of it is
/// `Huge` or `Impossible`.
pub(crate) fn is_huge(layout: Layout) -> bool {
    layout.size() > LARGE_BYTES_MAX || layout.align() > LARGE_ALIGN_MAX
}

/// Bytes that a block of this way really has.
pub(crate) fn usable_bytes<C: Choices>(route: Route) -> usize {
    match route {
        Route::Class(class) => C::block_bytes(class),
        Route::Large { slices, .. } => slices * SLICE_BYTES,
        Route::Huge { bytes } => bytes,
        Route::Impossible => 0,
    }
}
