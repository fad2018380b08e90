//! The class of a size, for C: in one load, up to `direct_max`.

use crate::config::size_class::malloc_index;
use crate::heap::canary;
use crate::heap::declared::Exported;

/// The offset of the bin for a size up to `direct_max`.
#[inline(always)]
pub(super) fn bin_offset<D: Exported>(size: usize) -> u16 {
    // SAFETY: the table has an entry for every size up to `direct_max` (contract of `Exported`), with its
    // canary.
    unsafe { *D::malloc_table().get_unchecked(malloc_index(size + canary::bytes::<D>())) }
}

/// Whether the class of `size` is looked up in one load.
#[inline(always)]
pub(super) fn is_direct<D: Exported>(size: usize) -> bool {
    size.saturating_add(canary::bytes::<D>()) <= D::CONFIG.fast_path.direct_max as usize
}
