//! Every size and alignment that a layout can have, and what reallocation does to content,
//! addresses and resident memory. One test at a time: resident memory is the process's.

use std::alloc::Layout;
use std::collections::HashSet;
use std::ptr::NonNull;

use allocator_core::config::Thp;
use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::configurations::{
    Compact, Default, EverythingKept, LargestClasses, NothingKept, OddClasses, OneClass, Stock,
};
use allocator_tests::process::{OS_PAGE_BYTES, alone, resident_bytes};
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::{Subject, layout};

const MIB: usize = 1 << 20;

/// While this lives, the OS has no more memory.
struct NoMemory;

impl NoMemory {
    fn from_now_on() -> Self {
        fault::fail(Call::Map, 0, u64::MAX);
        fault::fail(Call::Remap, 0, u64::MAX);
        Self
    }
}

impl Drop for NoMemory {
    fn drop(&mut self) {
        fault::reset();
    }
}

/// Runs a check on types that route sizes differently.
macro_rules! on_several {
    ($check:ident) => {
        mod $check {
            use super::*;

            #[test]
            fn holds() {
                let _alone = alone();
                super::$check::<Default>();
                super::$check::<Stock>();
                super::$check::<OneClass>();
                super::$check::<OddClasses>();
                super::$check::<LargestClasses>();
                super::$check::<NothingKept>();
                super::$check::<EverythingKept>();
                super::$check::<Compact>();
            }
        }
    };
}

on_several!(any_layout_is_aligned_or_refused);
on_several!(random_layouts_are_aligned_or_refused);
on_several!(an_impossible_reallocation_leaves_the_block_alone);
on_several!(reallocation_within_a_class_does_not_move);
on_several!(reallocation_from_60000_to_60001_does_not_move);
on_several!(huge_growth_by_half_steps_keeps_content_and_leaves_no_memory);
on_several!(a_huge_block_shrinks_through_every_kind_and_keeps_content);
on_several!(a_recycled_huge_zeroed_block_is_not_touched);
on_several!(a_large_zeroed_block_after_purge_is_zero_and_not_touched);
on_several!(a_large_zeroed_block_over_dirty_and_clean_memory_is_zero);
on_several!(the_last_free_memory_is_found_whatever_it_was_meant_for);
on_several!(without_memory_the_old_block_stays_as_it_was);

/// Allocates, writes to both ends, frees. Whether there was a block.
fn probe<A: Subject>(layout: Layout, zeroed: bool) -> bool {
    let block = if zeroed {
        A::allocate_zeroed(layout)
    } else {
        A::allocate(layout)
    };
    let Some(block) = block else {
        return false;
    };
    let (start, usable) = (block.addr().get(), A::usable_size(layout));
    assert!(start.is_multiple_of(layout.align()), "{layout:?}");
    assert!(
        usable >= layout.size() && start.checked_add(usable).is_some(),
        "{layout:?}"
    );
    if usable > 0 {
        for offset in [0, usable - 1] {
            // SAFETY: usable_size() says that the byte is the block's, and a fresh mapping or
            // alloc_zeroed initialised it where it is read.
            unsafe {
                if zeroed && offset < layout.size() {
                    assert_eq!(block.add(offset).read(), 0, "{layout:?} at {offset}");
                }
                block.add(offset).write(0xff);
            }
        }
    }
    // SAFETY: live, of this layout.
    unsafe { A::deallocate(block, layout) };
    true
}

fn any_layout_is_aligned_or_refused<A: Subject>() {
    let most = isize::MAX as usize;
    let mut largest_align = 0;
    for shift in 0..=40 {
        let align = 1_usize << shift;
        let of_align = [align / 2, align - 1, align, align + 1, 3 * align];
        let fixed = [
            0,
            1,
            2,
            7,
            8,
            9,
            4095,
            4096,
            4097,
            (32 << 10) - 1,
            32 << 10,
            (32 << 10) + 1,
            (64 << 10) - 1,
            64 << 10,
            (64 << 10) + 1,
            (512 << 10) + 1,
            8 * MIB - 1,
            8 * MIB,
            8 * MIB + 1,
            33 * MIB,
        ];
        let enormous = [1 << 44, 1 << 47, most / 2, most - align, most + 1 - align];
        for size in of_align.into_iter().chain(fixed) {
            let layout = layout(size, align);
            let served = [false, true].map(|zeroed| probe::<A>(layout, zeroed));
            if size <= 40 * MIB && shift <= 30 {
                assert_eq!(served, [true, true], "{layout:?}");
            }
            if served[0] {
                largest_align = largest_align.max(align);
            }
        }
        for size in enormous {
            if let Ok(layout) = Layout::from_size_align(size, align) {
                let served = [false, true].map(|zeroed| probe::<A>(layout, zeroed));
                assert!(size <= 1 << 47 || served == [false, false], "{layout:?}");
            }
        }
    }
    let name = A::CHOICES.name;
    println!(
        "{name}: largest alignment served: 2^{}",
        largest_align.ilog2()
    );
    A::check();
}

fn random_layouts_are_aligned_or_refused<A: Subject>() {
    let mut random = Random::new(seed_of("random_layouts_are_aligned_or_refused"));
    for _ in 0..3000 {
        // As many layouts of each magnitude.
        let align = 1 << random.below(31);
        let size = random.next() >> (1 + random.below(63));
        if let Ok(layout) = Layout::from_size_align(size as usize, align) {
            let served = probe::<A>(layout, random.below(2) == 0);
            assert!(served || size > 1 << 34, "{layout:?}");
        }
    }
    A::check();
}

fn an_impossible_reallocation_leaves_the_block_alone<A: Subject>() {
    for size in [0, 1, 100, 5000, 60_000, 300_000, 9 * MIB] {
        for align in [1, 8, 64, 4096, 1 << 17] {
            let mut block = Block::<A>::new(size, align, false, 5).expect("memory");
            let most = isize::MAX as usize + 1 - align;
            for new_size in [most, most - 1, most / 2, 1 << 48] {
                let start = block.start();
                assert!(!block.reallocate(new_size), "{size} to {new_size} bytes");
                assert_eq!(block.start(), start);
            }
            block.free();
        }
    }
    A::check();
}

fn reallocation_within_a_class_does_not_move<A: Subject>() {
    for class in A::CHOICES.classes() {
        let (least, most) = (class.smallest_request_bytes, class.block_bytes);
        let mut block = Block::<A>::new(least, 1, false, 9).expect("memory");
        let start = block.start();
        for size in [most, least, most - 1, (least + most) / 2] {
            assert!(block.reallocate(size));
            assert_eq!(block.start(), start, "{size} in {least}..={most}");
        }
        block.free();
    }
    // Large blocks end at multiples of a slice, huge ones at OS pages.
    for (least, most) in [(1_000_000, 1_048_576), (20_000_000, 20_000_768)] {
        let mut block = Block::<A>::new(least, 1, false, 9).expect("memory");
        let start = block.start();
        for size in [most, least] {
            assert!(block.reallocate(size));
            assert_eq!(block.start(), start, "{size}");
        }
        block.free();
    }
}

fn reallocation_from_60000_to_60001_does_not_move<A: Subject>() {
    let mut blocks: Vec<_> = (0..100)
        .map(|cookie| Block::<A>::new(60_000, 8, false, cookie).expect("memory"))
        .collect();
    let starts: Vec<_> = blocks.iter().map(Block::start).collect();
    for block in &mut blocks {
        assert!(block.reallocate(60_001));
    }
    let moved = blocks
        .iter()
        .zip(&starts)
        .filter(|(block, start)| block.start() != **start)
        .count();
    assert_eq!(moved, 0, "of 100 blocks");
    blocks.into_iter().for_each(Block::free);
}

/// A word that tells its offset, in every OS page of `[from, to)`.
fn write_marks(block: NonNull<u8>, from: usize, to: usize) {
    for offset in (from..to).step_by(OS_PAGE_BYTES) {
        // SAFETY: offsets are multiples of an OS page, and the callers' blocks are that long.
        unsafe { block.add(offset).cast::<usize>().write_unaligned(!offset) };
    }
}

fn check_marks(block: NonNull<u8>, to: usize) {
    for offset in (0..to).step_by(OS_PAGE_BYTES) {
        // SAFETY: as in write_marks(), which wrote it.
        let found = unsafe { block.add(offset).cast::<usize>().read_unaligned() };
        assert_eq!(found, !offset, "at {offset}");
    }
}

#[track_caller]
fn assert_not_over<A: Subject>(resident: usize, start: usize, most: usize) {
    let kept = resident.saturating_sub(start);
    let name = A::CHOICES.name;
    assert!(
        kept <= most,
        "{name}: {kept} bytes over the start, not {most}"
    );
}

fn huge_growth_by_half_steps_keeps_content_and_leaves_no_memory<A: Subject>() {
    A::purge();
    let (start, remaps) = (resident_bytes(), fault::calls(Call::Remap));
    let mut size = 64 * MIB;
    let mut block = A::allocate(layout(size, 8)).expect("memory");
    write_marks(block, 0, size);
    let mut steps = 0;
    while size < 729 * MIB {
        let new_size = size + size / 2;
        // SAFETY: live, of this layout.
        block = unsafe { A::reallocate(block, layout(size, 8), new_size) }.expect("memory");
        // What is new reads as zero here, since it comes fresh from the OS: touch all of it.
        write_marks(block, size, new_size);
        size = new_size;
        steps += 1;
    }
    check_marks(block, size);
    assert_eq!(size / MIB, 729);
    assert_eq!(
        fault::calls(Call::Remap) - remaps,
        steps,
        "moved by the OS, not copied"
    );
    // SAFETY: live, of this layout.
    unsafe { A::deallocate(block, layout(size, 8)) };
    assert_not_over::<A>(resident_bytes(), start, 3 * MIB);
}

fn a_huge_block_shrinks_through_every_kind_and_keeps_content<A: Subject>() {
    A::purge();
    let start = resident_bytes();
    // Where all is in huge pages of the hardware, the headers of the chunk take one, too.
    let more = match A::CHOICES.thp {
        Thp::Always => 5 * MIB,
        _ => 3 * MIB,
    };
    let mut size = 300 * MIB;
    let mut block = A::allocate(layout(size, 16)).expect("memory");
    write_marks(block, 0, size);
    for new_size in [
        200 * MIB,
        200 * MIB - 1,
        9 * MIB,
        8 * MIB,
        5 * MIB,
        100_000,
        30_000,
        9,
        8,
    ] {
        // SAFETY: live, of this layout.
        block = unsafe { A::reallocate(block, layout(size, 16), new_size) }.expect("memory");
        size = new_size;
        // The last word may be cut off.
        check_marks(block, size.saturating_sub(size_of::<usize>() - 1).max(1));
        if size < 9 * MIB {
            A::purge();
        }
        assert_not_over::<A>(resident_bytes(), start, size + more);
    }
    // SAFETY: live, of this layout.
    unsafe { A::deallocate(block, layout(size, 16)) };
}

#[track_caller]
fn assert_zero(block: NonNull<u8>, size: usize) {
    // SAFETY: the callers' blocks are that long and initialised by alloc_zeroed.
    let words = unsafe { std::slice::from_raw_parts(block.cast::<u64>().as_ptr(), size / 8) };
    assert!(words.iter().all(|&word| word == 0));
}

fn a_recycled_huge_zeroed_block_is_not_touched<A: Subject>() {
    let layout = layout(64 * MIB, 8);
    for _ in 0..3 {
        let start = resident_bytes();
        let block = A::allocate_zeroed(layout).expect("memory");
        assert_not_over::<A>(resident_bytes(), start, MIB);
        assert_zero(block, layout.size());
        // SAFETY: as long as its layout says; then live, of this layout.
        unsafe {
            block.write_bytes(0xff, layout.size());
            A::deallocate(block, layout);
        }
    }
}

fn a_large_zeroed_block_after_purge_is_zero_and_not_touched<A: Subject>() {
    let layout = layout(4 * MIB, 8);
    A::purge();
    let mut starts = HashSet::new();
    for _ in 0..6 {
        let start = resident_bytes();
        let block = A::allocate_zeroed(layout).expect("memory");
        // Where huge pages are asked for, the chunk's header takes a whole one.
        let most = if A::CHOICES.thp == Thp::Always {
            3 * MIB
        } else {
            MIB
        };
        assert_not_over::<A>(resident_bytes(), start, most);
        assert_zero(block, layout.size());
        // SAFETY: as long as its layout says; then live, of this layout.
        unsafe {
            block.write_bytes(0xff, layout.size());
            A::deallocate(block, layout);
        }
        starts.insert(block);
        A::purge();
    }
    assert!(starts.len() < 6, "no address came back: {starts:?}");
}

fn a_large_zeroed_block_over_dirty_and_clean_memory_is_zero<A: Subject>() {
    let (half, whole) = (layout(MIB, 8), layout(2 * MIB, 8));
    for dirty_second in [false, true] {
        A::purge();
        let block = A::allocate(whole).expect("memory");
        // SAFETY: live, of this layout.
        unsafe { A::deallocate(block, whole) };
        A::purge();
        // Clean now. One half of it gets dirty again.
        let halves = [(); 2].map(|()| A::allocate(half).expect("memory"));
        // SAFETY: as long as its layout says.
        unsafe { halves[usize::from(dirty_second)].write_bytes(0xff, MIB) };
        for half_block in halves {
            // SAFETY: live, of this layout.
            unsafe { A::deallocate(half_block, half) };
        }
        let block = A::allocate_zeroed(whole).expect("memory");
        assert_zero(block, 2 * MIB);
        // SAFETY: live, of this layout.
        unsafe { A::deallocate(block, whole) };
    }
}

/// Memory is kept apart by how it is expected to be used; when there is no other, it serves all.
fn the_last_free_memory_is_found_whatever_it_was_meant_for<A: Subject>() {
    let mut blocks = Vec::new();
    for zeroed in [false, true] {
        // So much that both kinds of memory are there.
        blocks.extend((0..40).map(|_| Block::<A>::new(MIB, 8, zeroed, 1).expect("memory")));
    }
    blocks.into_iter().for_each(Block::free);
    let _no_memory = NoMemory::from_now_on();
    for zeroed in [false, true] {
        let all: Vec<_> = std::iter::from_fn(|| Block::<A>::new(MIB, 8, zeroed, 2)).collect();
        let more = Block::<A>::new(MIB, 8, !zeroed, 3);
        assert!(
            more.is_none(),
            "after {} blocks, zeroed: {zeroed}",
            all.len()
        );
        all.into_iter().chain(more).for_each(Block::free);
    }
}

fn without_memory_the_old_block_stays_as_it_was<A: Subject>() {
    let mut cookie = 0;
    let mut block = |size, align| {
        cookie += 1;
        Block::<A>::new(size, align, false, cookie).expect("memory")
    };
    // One of each kind: of a class, of a class by alignment, large, huge.
    let mut blocks = vec![
        block(40, 8),
        block(3000, 8),
        block(100, 64),
        block(100_000, 8),
        block(10, 1 << 17),
        block(9 * MIB, 8),
        block(9 * MIB, 1 << 16),
    ];
    let no_memory = NoMemory::from_now_on();
    // What the arena still has is used up, so that nothing can be had but blocks of these pages.
    let mut filler = Vec::new();
    let mut before = usize::MAX;
    while filler.len() != before {
        before = filler.len();
        for (size, align) in [
            (8 * MIB, 8),
            (512 << 10, 8),
            (66_000, 1 << 17),
            (66_000, 8),
            (64 << 10, 8),
        ] {
            for zeroed in [false, true] {
                filler.extend(std::iter::from_fn(|| {
                    Block::<A>::new(size, align, zeroed, 0)
                }));
            }
        }
    }
    for block in &mut blocks {
        let (start, before) = (block.start(), block.layout());
        for new_size in [90 * MIB, 20 * MIB, 7 * MIB, 400_000] {
            if new_size > before.size() {
                assert!(!block.reallocate(new_size), "{before:?} to {new_size}");
                assert_eq!((block.start(), block.layout()), (start, before));
            }
        }
    }
    for size in [90 * MIB, 7 * MIB, 400_000, 66_000] {
        for align in [8, 4096, 1 << 17, 1 << 25] {
            let name = A::CHOICES.name;
            assert!(
                A::allocate(layout(size, align)).is_none(),
                "{name}: {size} at {align}"
            );
            assert!(
                A::allocate_zeroed(layout(size, align)).is_none(),
                "{size} at {align}"
            );
        }
    }
    drop(no_memory);
    filler.into_iter().for_each(Block::free);
    // And now it works again.
    for block in &mut blocks {
        let size = block.layout().size();
        assert!(block.reallocate(size + 100_000) && block.reallocate(20 * MIB));
        assert!(block.reallocate(size));
    }
    blocks.into_iter().for_each(Block::free);
    A::check();
}
