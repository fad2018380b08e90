//! What `hardening(…)` has beyond the level `checked`: each mechanism alone finds what it is for, in a process
//! that this ends, and finds nothing where nothing is wrong.

use std::hint::black_box;
use std::ptr::NonNull;

use allocator_core::derive_allocator;
use allocator_tests::configurations::Cleared;
use allocator_tests::misused_block::{
    Block, allocate, class_bytes, free, free_remote, is_about, read, write, write_to_what_is_free,
};
use allocator_tests::subject::Subject;
use allocator_tests::{found, subjects};

#[derive_allocator(hardening(shuffle), small_extend = all)]
struct Shuffled;

subjects!(Shuffled);

/// Another thread gave it back.
fn write_to_what_others_freed<A: Subject>(size: usize, at: usize) {
    let block = allocate::<A>(size);
    free_remote::<A>(block, size);
    is_about(block);
    write(block, at, 1);
    for _ in 0..10_000 {
        black_box(allocate::<A>(size));
    }
}

/// A neighbour that was never handed out, wherever it is in the order.
fn write_to_what_is_fresh<A: Subject>(size: usize, at: usize) {
    let class = class_bytes::<A>(size);
    let block = allocate::<A>(size);
    let (before, behind) = (
        NonNull::new(block.as_ptr().wrapping_sub(class)),
        NonNull::new(block.as_ptr().wrapping_add(class)),
    );
    let first = block.addr().get().is_multiple_of(64 << 10);
    let fresh = if first { behind } else { before }.expect("a neighbour");
    is_about(fresh);
    write(fresh, at, 1);
    for _ in 0..10_000 {
        black_box(allocate::<A>(size));
    }
}

found! {
    zero_alone_finds_a_write_to_a_free_block:
        write_to_what_is_free::<Cleared>(64, 64); "Cleared" "write to a free block" ", class 72";
    zero_alone_finds_a_write_to_a_free_medium_block:
        write_to_what_is_free::<Cleared>(20_000, 20_000);
        "Cleared" "write to a free block" ", class 32776";
    zero_alone_finds_a_write_to_a_block_freed_there:
        write_to_what_others_freed::<Cleared>(64, 32); "Cleared" "write to a free block" ", class 72";
    zero_alone_finds_a_write_to_a_block_never_handed_out:
        write_to_what_is_fresh::<Cleared>(64, 8); "Cleared" "write to a free block" ", class 72";
}

/// Whether all bytes of a block are zero, link and note apart.
fn is_zero(block: Block, bytes: std::ops::Range<usize>) -> bool {
    bytes.step_by(8).all(|at| read(block, at) == 0)
}

#[test]
fn a_freed_block_is_cleared() {
    for size in [8, 64, 4000, 30_000] {
        let class = class_bytes::<Cleared>(size);
        let blocks = [(); 40].map(|()| allocate::<Cleared>(size));
        for (index, block) in blocks.into_iter().enumerate() {
            for at in (0..class).step_by(8) {
                write(block, at, u64::MAX);
            }
            if index % 2 == 0 {
                free::<Cleared>(block, size);
            } else {
                free_remote::<Cleared>(block, size);
            }
            assert!(is_zero(block, 8..class), "{size}: all but the link");
        }
        for _ in 0..100 {
            let block = allocate::<Cleared>(size);
            assert!(is_zero(block, 0..class), "{size}: what is handed out");
        }
    }
}

#[test]
fn fresh_blocks_come_in_random_order() {
    let addresses = |size| {
        let blocks = (0..1000).map(|_| allocate::<Shuffled>(size));
        blocks.map(|block| block.addr().get()).collect::<Vec<_>>()
    };
    let order = addresses(16);
    let ascending = order.windows(2).filter(|pair| pair[0] < pair[1]).count();
    // Half of 999, of which the deviation is 9; in windows of 256 blocks.
    assert!((400..600).contains(&ascending), "{ascending}");
    let next = order.windows(2).filter(|pair| pair[0] + 16 == pair[1]);
    assert!(next.count() < 40, "hardly any has its neighbour behind it");
    let mut all = order.clone();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1000);
    // A thread of its own is a heap of its own.
    let there = std::thread::spawn(move || addresses(16))
        .join()
        .expect("it ends");
    let places = |order: &[usize]| -> Vec<_> {
        order[..256]
            .iter()
            .map(|address| address % (64 << 10))
            .collect()
    };
    assert_ne!(places(&order), places(&there));
}
