//! More addresses than 32 bits count, hardly any of them touched.
//!
//! Apart from `sizes`, because the arena keeps its addresses: a test there that uses up all that
//! is free would take gigabytes.

use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::configurations::{Default, OddClasses, OneClass};
use allocator_tests::process::{alone, resident_bytes};
use allocator_tests::subject::{Subject, layout};

const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

#[test]
fn offsets_over_4_gib_are_kept() {
    let _alone = alone();
    grow_over_4_gib::<Default>();
    grow_over_4_gib::<OneClass>();
}

#[test]
fn hundreds_of_chunks_hold_what_they_should() {
    let _alone = alone();
    fill_hundreds_of_chunks::<Default>();
    fill_hundreds_of_chunks::<OneClass>();
    fill_hundreds_of_chunks::<OddClasses>();
}

/// One block grows and shrinks; a word in every GiB tells its offset.
fn grow_over_4_gib<A: Subject>() {
    let start = resident_bytes();
    let mut size = 5 * GIB + 4096;
    let mut block = A::allocate_zeroed(layout(size, 8)).expect("addresses");
    assert_eq!(A::usable_size(layout(size, 8)), size);
    let mut written = 0;
    for new_size in [size, 9 * GIB, 17 * GIB, 6 * GIB, 4 * GIB + 4096, GIB] {
        // SAFETY: live, of this layout.
        block = unsafe { A::reallocate(block, layout(size, 8), new_size) }.expect("addresses");
        for offset in (8..new_size).step_by(GIB) {
            // SAFETY: in the block and aligned to 8; below `written`, initialised here.
            unsafe {
                let place = block.add(offset).cast::<usize>();
                assert!(offset >= written || place.read() == offset, "at {offset}");
                place.write(offset);
            }
        }
        (size, written) = (new_size, new_size);
    }
    // SAFETY: live, of this layout.
    unsafe { A::deallocate(block, layout(size, 8)) };
    let kept = resident_bytes().saturating_sub(start);
    assert!(kept <= 3 * MIB, "{kept} bytes");
}

/// Blocks of a quarter of a chunk, and small ones, over 6 GiB of addresses.
fn fill_hundreds_of_chunks<A: Subject>() {
    const BLOCKS: usize = 800;
    let layout = layout(8 * MIB, 8);
    A::purge();
    let blocks: Vec<_> = (0..BLOCKS)
        .map(|i| {
            let block = A::allocate_zeroed(layout).expect("addresses").cast();
            // SAFETY: long enough and aligned.
            unsafe { block.write(i) };
            block
        })
        .collect();
    let mut starts: Vec<_> = blocks.iter().map(|block| block.addr().get()).collect();
    starts.sort_unstable();
    assert!(starts.is_sorted_by(|before, after| after - before >= 8 * MIB));
    let small: Vec<_> = (0..2000)
        .map(|i| Block::<A>::new(100, 8, false, i).expect("memory"))
        .collect();
    for (i, block) in blocks.into_iter().enumerate() {
        // SAFETY: written above; then live, of this layout.
        unsafe {
            assert_eq!(block.read(), i);
            A::deallocate(block.cast(), layout);
        }
    }
    // What is free in all those chunks is found again. Clean, so that it need not be touched.
    A::purge();
    let maps = fault::calls(Call::Map);
    let again: Vec<_> = (0..BLOCKS)
        .map(|_| A::allocate_zeroed(layout).expect("addresses"))
        .collect();
    assert_eq!(fault::calls(Call::Map), maps, "a new mapping");
    for block in again {
        // SAFETY: live, of this layout.
        unsafe { A::deallocate(block, layout) };
    }
    small.into_iter().for_each(Block::free);
    A::check();
}
