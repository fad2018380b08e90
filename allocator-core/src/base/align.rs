//! Rounding to powers of two.

/// `value` rounded up to a multiple of `align`, a power of two; `None` when that overflows.
#[inline(always)]
pub(crate) const fn checked_align_up(value: usize, align: usize) -> Option<usize> {
    debug_assert!(align.is_power_of_two());
    match value.checked_add(align - 1) {
        Some(sum) => Some(sum & !(align - 1)),
        None => None,
    }
}

/// `value` rounded up to a multiple of `align`, a power of two; the caller knows that it fits.
#[inline(always)]
pub(crate) const fn align_up(value: usize, align: usize) -> usize {
    debug_assert!(align.is_power_of_two());
    (value + align - 1) & !(align - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_up_reaches_the_next_multiple_and_never_wraps() {
        assert_eq!(align_up(0, 8), 0);
        assert_eq!(align_up(1, 8), 8);
        assert_eq!(align_up(4096, 4096), 4096);
        assert_eq!(checked_align_up(usize::MAX - 3, 8), None);
        assert_eq!(checked_align_up(usize::MAX - 7, 8), Some(usize::MAX - 7));
    }
}
