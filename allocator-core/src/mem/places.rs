//! Where a request is counted: a place for each alignment and size.
//!
//! ```text
//! align   up to 8  16       32      64      …   4096 and stricter
//!         ┌────────┬────────┬───────┬───────┬───┬───────┐
//!         │ sizes  │ sizes  │ sizes │ sizes │ … │ sizes │
//!         └────────┴────────┴───────┴───────┴───┴───────┘
//! ```
//!
//! Sizes go in steps of 8 up to 32 KiB, of what is aligned to more than 16 up to 1 KiB; above, eight to a
//! doubling. What is counted at a place counts as its largest size.

/// The sizes of an alignment are counted in steps of 8 up to this power of two.
const fn exact_log(align_log: u32) -> u32 {
    if align_log <= 4 { 15 } else { 10 }
}

/// Largest size, as a power of two: more than an address space has.
const SIZE_LOG: u32 = 48;

/// Alignments, as powers of two: the least that is told from others, and the strictest.
const ALIGN_LOGS: [u32; 2] = [3, 12];

/// Places of sizes in steps of 8, that of 0 included.
const fn exact_places(align_log: u32) -> usize {
    (1 << exact_log(align_log)) / 8 + 1
}

/// Places of an alignment.
const fn places(align_log: u32) -> usize {
    exact_places(align_log) + (SIZE_LOG - exact_log(align_log)) as usize * 8
}

/// The first place of an alignment.
const fn first_place(align_log: u32) -> usize {
    let mut first = 0;
    let mut log = ALIGN_LOGS[0];
    while log < align_log {
        first += places(log);
        log += 1;
    }
    first
}

/// All places.
pub(crate) const PLACES: usize = first_place(ALIGN_LOGS[1] + 1);

/// Places are added up in stretches of so many.
pub(crate) const STRETCH: usize = 64;

/// All stretches.
pub(crate) const STRETCHES: usize = PLACES.div_ceil(STRETCH);

/// The first stretches, which are there in any process: up to 8 KiB at the least alignment, what is looked up in
/// one load.
pub(crate) const NEAR_STRETCHES: usize = (8 << 10) / 8 / STRETCH + 1;

/// The place of a request; below [`PLACES`].
#[inline(always)]
pub(crate) fn place(size: usize, align: usize) -> usize {
    if size <= 1 << exact_log(4) && align <= 16 {
        let first = if align <= 8 { 0 } else { first_place(4) };
        return first + size.div_ceil(8);
    }
    place_elsewhere(size, align)
}

/// The power of two at or below a number; 0 for 0, so that nothing panics.
const fn log(number: usize) -> u32 {
    (number | 1).ilog2()
}

#[cold]
#[inline(never)]
fn place_elsewhere(size: usize, align: usize) -> usize {
    let align_log = log(align).clamp(ALIGN_LOGS[0], ALIGN_LOGS[1]);
    let size = size.min(1 << SIZE_LOG);
    let exact = exact_log(align_log);
    let within = if size <= 1 << exact {
        size.div_ceil(8)
    } else {
        // What ends an eighth of a doubling is of it.
        let log = log(size - 1);
        let eighth = ((size - 1) >> (log - 3)) & 7;
        exact_places(align_log) + (log - exact) as usize * 8 + eighth
    };
    first_place(align_log) + within
}

/// Places from this on are of stricter alignments.
pub(crate) const ALIGNED_PLACES: usize = first_place(ALIGN_LOGS[0] + 1);

/// Places below this are of the least alignment, the first of size 0, and each 8 bytes above the one before.
pub(crate) const EXACT_PLACES: usize = exact_places(ALIGN_LOGS[0]);

/// The largest size of a place: what each request there counts as where its size is not known any more.
#[inline(always)]
pub(crate) fn size_of_place(place: usize) -> usize {
    if place < EXACT_PLACES {
        return place * 8;
    }
    size_elsewhere(place)
}

#[cold]
#[inline(never)]
fn size_elsewhere(place: usize) -> usize {
    request(place).1
}

/// The alignment of a place, and its largest size.
pub(crate) fn request(place: usize) -> (usize, usize) {
    let mut align_log = ALIGN_LOGS[0];
    let mut within = place;
    while within >= places(align_log) && align_log < ALIGN_LOGS[1] {
        within -= places(align_log);
        align_log += 1;
    }
    let size = match within.checked_sub(exact_places(align_log)) {
        None => within * 8,
        Some(eighths) => {
            let log = exact_log(align_log) as usize + eighths / 8;
            (9 + eighths % 8) << (log - 3)
        }
    };
    (1 << align_log, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_that_of_its_largest_size() {
        for at in 0..PLACES {
            let (align, size) = request(at);
            assert_eq!(place(size, align), at, "{size} at {align}");
        }
    }

    #[test]
    fn a_size_counts_as_one_at_most_an_eighth_larger() {
        for align in [1, 8, 16, 32, 4096, 1 << 21] {
            for log in 0..47 {
                for size in [1_usize << log, (1 << log) + 1, (1 << log) * 3 / 2 + 1] {
                    let (counted_align, counted) = request(place(size, align));
                    assert_eq!(counted_align, align.clamp(8, 4096));
                    let steps = size.next_multiple_of(8);
                    let most = if size <= 1024 { steps } else { size + size / 8 };
                    assert!(counted >= size && counted <= most, "{size}: {counted}");
                    if size <= 32 << 10 && align <= 16 {
                        assert_eq!(counted, steps);
                    }
                }
            }
        }
        assert!(place(usize::MAX, 1 << 40) < PLACES);
    }
}
