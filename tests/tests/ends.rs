//! `hardening(ends)`: what runs over the end of a page or a large block faults where that costs no huge page.

use std::collections::BTreeMap;

use allocator_core::derive_allocator;
use allocator_tests::block::Block;
use allocator_tests::ends::{LARGE_MAX, allocate, at, end_of_slices, free, resizes};
use allocator_tests::probe::write_faults;
use allocator_tests::process::{OS_PAGE_BYTES, alone};
use allocator_tests::subject::Subject;
use allocator_tests::subjects;

/// Guards where there are no huge pages, which is everywhere.
#[derive_allocator(hardening(ends), thp = never, stats = counters)]
struct Ended;

/// The same where there are huge pages everywhere: none.
#[derive_allocator(hardening(ends), thp = always)]
struct Unended;

subjects!(Ended, Unended);

#[test]
fn pages_outside_of_huge_pages_end_in_a_guard() {
    let _alone = alone();
    for size in [8, 48, 4096] {
        let guard = at(
            end_of_slices(allocate::<Ended>(size), 1),
            -(OS_PAGE_BYTES as isize),
        );
        assert!(
            write_faults(guard) && !write_faults(at(guard, -1)),
            "{size}"
        );
        let last = at(end_of_slices(allocate::<Unended>(size), 1), -1);
        assert!(!write_faults(last), "{size}");
    }
}

#[test]
fn pages_with_a_guard_and_without_have_as_many_blocks_as_fit() {
    /// The most blocks in a page, none of which reaches over `room` bytes of it.
    fn most<A: Subject>(size: usize, page_bytes: usize, room: usize) -> usize {
        let blocks: Vec<_> = (0..5 * page_bytes / size)
            .map(|_| allocate::<A>(size))
            .collect();
        let mut in_page = BTreeMap::new();
        for block in &blocks {
            // SAFETY: the block's own bytes.
            unsafe { block.write_bytes(1, size) };
            let address = block.addr().get();
            assert!(address % page_bytes + size <= room, "{size}");
            *in_page.entry(address / page_bytes).or_insert(0) += 1;
        }
        blocks.into_iter().for_each(|block| free::<A>(block, size));
        in_page.into_values().max().expect("some")
    }
    let _alone = alone();
    for class in Ended::CONFIG.classes() {
        let (size, page) = (class.block_bytes, class.page_bytes);
        let room = page - OS_PAGE_BYTES;
        assert_eq!(most::<Ended>(size, page, room), room / size, "{size}");
        assert_eq!(most::<Unended>(size, page, page), page / size, "{size}");
    }
}

#[test]
fn blocks_from_1_mib_on_outside_of_huge_pages_end_in_a_guard() {
    let _alone = alone();
    for size in [1 << 20, (1 << 20) + 1, 3_000_000, LARGE_MAX - 4096] {
        let end = size.next_multiple_of(OS_PAGE_BYTES) as isize;
        let block = allocate::<Ended>(size);
        assert!(write_faults(at(block, end)) && !write_faults(at(block, end - 1)));
        free::<Ended>(block, size);
        let block = allocate::<Unended>(size);
        assert!(!write_faults(at(block, end - 1)));
        free::<Unended>(block, size);
    }
    let small = allocate::<Ended>(1_000_000);
    assert!(!write_faults(at(end_of_slices(small, 1_000_000), -1)));
    free::<Ended>(small, 1_000_000);
    resizes::<Ended>(&[1 << 20, 1_100_000, 7_000_000, 1_048_577, 2 << 20]);
    // Over and below what has a guard.
    let mut block = Block::<Ended>::new(1 << 20, 8, false, 7).expect("memory");
    for size in [
        900_000,
        1 << 20,
        70_000,
        5 << 20,
        1_048_575,
        20 << 20,
        1 << 20,
    ] {
        assert!(block.reallocate(size));
    }
    block.free();
}
