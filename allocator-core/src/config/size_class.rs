//! From a size to its class.
//!
//! Small sizes look their class up in one load from a table that the macro's
//! output holds, one entry per 8 bytes; the entry is the offset of the class's
//! bin in the thread's cache, so no multiplication follows. A constant size
//! folds to a constant offset. Sizes above the table search the class list.

use crate::base::align::align_up;

/// Bytes between two entries of the lookup table.
const STEP: usize = 8;

/// Bytes of one bin; the table's entries are multiples of it.
pub const BIN_BYTES: usize = 32;

/// Entries that a lookup table for sizes up to `direct_max` needs.
#[must_use]
pub const fn direct_len(direct_max: usize) -> usize {
    direct_max.div_ceil(STEP) + 1
}

/// The lookup table: entry `i` is the bin offset of the smallest class of at least `8 * i` bytes.
///
/// # Panics
/// At compile time, when a size up to the table's end has no class.
#[must_use]
pub const fn direct_table<const CLASSES: usize, const LEN: usize>(
    class_bytes: &[u32; CLASSES],
) -> [u16; LEN] {
    assert!(
        CLASSES * BIN_BYTES <= u16::MAX as usize,
        "offsets must fit 16 bits"
    );
    offsets(class_bytes, STEP)
}

/// Entry `i` is the bin offset of the smallest class of at least `step * i` bytes that is a multiple
/// of `step`.
const fn offsets<const CLASSES: usize, const LEN: usize>(
    class_bytes: &[u32; CLASSES],
    step: usize,
) -> [u16; LEN] {
    let mut table = [0; LEN];
    let (mut i, mut class) = (0, 0);
    while i < LEN {
        while (class_bytes[class] as usize) < i * step
            || !(class_bytes[class] as usize).is_multiple_of(step)
        {
            class += 1;
        }
        table[i] = (class * BIN_BYTES) as u16;
        i += 1;
    }
    table
}

/// The entry of the lookup table for `size`.
#[inline(always)]
pub(crate) const fn direct_index(size: usize) -> usize {
    size.div_ceil(STEP)
}

/// Alignment of every block that C's `malloc` hands out, and bytes between two entries of its table.
pub const MALLOC_ALIGN: usize = 16;

/// Entries that `malloc`'s lookup table for sizes up to `direct_max` needs.
#[must_use]
pub const fn malloc_len(direct_max: usize) -> usize {
    direct_max.div_ceil(MALLOC_ALIGN) + 1
}

/// `malloc`'s lookup table: entry `i` is the bin offset of the smallest class of at least `16 * i`
/// bytes that is a multiple of 16.
///
/// # Panics
/// At compile time, when a size up to the table's end has no such class.
#[must_use]
pub const fn malloc_table<const CLASSES: usize, const LEN: usize>(
    class_bytes: &[u32; CLASSES],
) -> [u16; LEN] {
    assert!(
        (class_bytes[CLASSES - 1] as usize).is_multiple_of(MALLOC_ALIGN),
        "C aligns every block to 16"
    );
    offsets(class_bytes, MALLOC_ALIGN)
}

/// The entry of `malloc`'s lookup table for `size`, which is not near the end of all numbers.
#[inline(always)]
pub(crate) const fn malloc_index(size: usize) -> usize {
    align_up(size, MALLOC_ALIGN) / MALLOC_ALIGN
}

/// The factor by which [`is_multiple`] tells multiples of `bytes`, which is over 1.
#[must_use]
pub const fn start_factor(bytes: u32) -> u64 {
    u64::MAX / bytes as u64 + 1
}

/// `start_factor` of each class.
#[must_use]
pub const fn start_table<const CLASSES: usize>(class_bytes: &[u32; CLASSES]) -> [u64; CLASSES] {
    let mut table = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        table[class] = start_factor(class_bytes[class]);
        class += 1;
    }
    table
}

/// Whether `offset`, under 2^32, is a multiple of what `factor` is of. The factor is 2^64 / bytes,
/// rounded up, so the low half of the product is the remainder as a fraction, and under one
/// factor only for the remainder 0 (Lemire, Kaser, Kurz 2019).
#[inline(always)]
pub(crate) const fn is_multiple(offset: usize, factor: u64) -> bool {
    (offset as u64).wrapping_mul(factor) < factor
}

/// The smallest class of at least `size` bytes whose blocks are all aligned to `align`.
#[inline]
pub(crate) fn search(class_bytes: &[u32], size: usize, align: usize) -> Option<usize> {
    let first = class_bytes.partition_point(|&bytes| (bytes as usize) < size);
    // A page starts at a multiple of its size, so a block is aligned as its class is.
    let fits = |&bytes: &u32| (bytes as usize).is_multiple_of(align);
    class_bytes[first..]
        .iter()
        .position(fits)
        .map(|skipped| first + skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [u32; 5] = [8, 24, 32, 96, 128];

    #[test]
    fn the_table_and_the_search_agree_on_every_size() {
        let table: [u16; direct_len(128)] = direct_table(&CLASSES);
        for size in 0..=128 {
            let class = search(&CLASSES, size, 1);
            assert_eq!(
                Some(table[direct_index(size)] as usize / BIN_BYTES),
                class,
                "{size}"
            );
        }
    }

    #[test]
    fn the_table_of_malloc_has_aligned_classes_only() {
        let table: [u16; malloc_len(128)] = malloc_table(&CLASSES);
        for size in 0..=128 {
            let class = search(&CLASSES, size, MALLOC_ALIGN);
            assert_eq!(
                Some(table[malloc_index(size)] as usize / BIN_BYTES),
                class,
                "{size}"
            );
        }
    }

    #[test]
    fn multiples_are_told_without_a_division() {
        for bytes in (8..1 << 19)
            .step_by(8)
            .filter(|bytes| bytes % 997 < 40 || *bytes < 4096)
        {
            let factor = start_factor(bytes);
            for block in [0, 1, 2, 3, 1000, (1 << 21) / bytes] {
                let start = (block * bytes) as usize;
                assert!(is_multiple(start, factor), "{start} of {bytes}");
                for inside in [1, 2, bytes / 2, bytes - 2, bytes - 1] {
                    assert!(!is_multiple(start + inside as usize, factor), "{bytes}");
                }
            }
        }
    }

    #[test]
    fn an_aligned_search_skips_classes_that_are_not_multiples() {
        assert_eq!(search(&CLASSES, 20, 16), Some(2));
        assert_eq!(search(&CLASSES, 33, 128), Some(4));
        assert_eq!(search(&CLASSES, 1, 256), None);
        assert_eq!(search(&CLASSES, 129, 8), None);
    }
}
