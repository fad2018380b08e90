//! What `hardening(…)` has beyond the level `checked`: each mechanism alone finds what it is for, in a process
//! that this ends, and finds nothing where nothing is wrong.

use std::hint::black_box;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use allocator_core::derive_allocator;
use allocator_tests::configurations::{Canaried, Cleared, Guarded, Quarantined};
use allocator_tests::misused_block::{
    Block, allocate, class_bytes, free, free_remote, is_about, read, write, write_to_what_is_free,
};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::{found, subjects};

#[derive_allocator(hardening(shuffle), small_extend = all)]
struct Shuffled;

/// What waits is signed, and nothing else is looked at.
#[derive_allocator(hardening(links, quarantine = 64KiB))]
struct SignedAndWaiting;

/// Free memory is not given back, however long a test is interrupted.
#[derive_allocator(hardening(zero), purge = never)]
struct ClearedAndKept;

#[derive_allocator(hardening = guarded, purge = never)]
struct GuardedAndKept;

#[derive_allocator(hardening(links), purge = never)]
struct SignedAndKept;

subjects!(
    Shuffled,
    SignedAndWaiting,
    ClearedAndKept,
    GuardedAndKept,
    SignedAndKept
);

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

/// So many bytes behind what was asked for.
fn overflow_then_free<A: Subject>(size: usize, bytes: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    write_bytes(block, size, bytes);
    free::<A>(block, size);
}

fn overflow_then_free_there<A: Subject>(size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    write_bytes(block, size, 1);
    free_remote::<A>(block, size);
}

fn overflow_then_resize<A: Subject>(size: usize, new_size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    write_bytes(block, size, 1);
    // SAFETY: none: the process ends.
    black_box(unsafe { A::reallocate(block, layout(size, 8), new_size) });
}

/// The end of the block has moved, and what stands there with it.
fn overflow_of_a_resized_block<A: Subject>(size: usize, new_size: usize) {
    let block = allocate::<A>(size);
    // SAFETY: this test's.
    let block = unsafe { A::reallocate(block, layout(size, 8), new_size) }.expect("memory");
    is_about(block);
    write_bytes(block, new_size, 1);
    free::<A>(block, new_size);
}

/// As a text that is too long ends: whatever was there, it is another byte now.
fn write_bytes(block: Block, at: usize, count: usize) {
    for at in at..at + count {
        // SAFETY: none: the bytes are mapped, and the type is to find what this breaks.
        unsafe { block.add(at).write_volatile(black_box(0)) };
    }
}

/// It waits, and so do others behind it.
fn write_to_what_waits<A: Subject>(size: usize, at: usize) {
    // It keeps the page, which would be cleared before it is used anew.
    let _keep = allocate::<A>(size);
    let block = allocate::<A>(size);
    free::<A>(block, size);
    is_about(block);
    write(block, at, 1);
    for _ in 0..10_000 {
        free::<A>(allocate::<A>(100), 100);
    }
    for _ in 0..10_000 {
        black_box(allocate::<A>(size));
    }
}

/// Its slices are the next to be claimed, by blocks of another size, too.
fn write_to_a_large_block<A: Subject>(size: usize, at: usize, next_size: usize) {
    // A heap, for which slices are claimed, too.
    black_box(allocate::<A>(64));
    let block = allocate::<A>(size);
    write(block, at, 1);
    free::<A>(block, size);
    write_to_large(block, at);
    for _ in 0..4 * size / next_size {
        black_box(allocate::<A>(next_size));
    }
}

fn write_behind_a_shrunk_block<A: Subject>() {
    let block = allocate::<A>(1_000_000);
    // SAFETY: this test's.
    let shrunk = unsafe { A::reallocate(block, layout(1_000_000, 8), 100_000) };
    assert_eq!(shrunk, Some(block), "it stays");
    write_to_large(block, 500_000);
    black_box(allocate::<A>(800_000));
}

fn write_before_a_block_grows<A: Subject>() {
    let block = allocate::<A>(1_000_000);
    // SAFETY: this test's.
    let shrunk = unsafe { A::reallocate(block, layout(1_000_000, 8), 100_000) };
    assert_eq!(shrunk, Some(block), "it stays");
    write_to_large(block, 500_000);
    // SAFETY: none: the process ends.
    black_box(unsafe { A::reallocate(block, layout(100_000, 8), 1_000_000) });
}

/// The message names the word that was written to: whose it was is not known any more.
fn write_to_large(block: Block, at: usize) {
    is_about(NonNull::new(block.as_ptr().wrapping_add(at)).expect("an address"));
    write(block, at, 1);
}

fn free_what_waits<A: Subject>(size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    for block in [block, allocate::<A>(size), allocate::<A>(size), block] {
        free::<A>(block, size);
    }
}

found! {
    an_overflow_by_a_byte:
        overflow_then_free::<Canaried>(48, 1); "Canaried" "overflow" ", class 56";
    an_overflow_by_eight_bytes:
        overflow_then_free::<Canaried>(48, 8); "Canaried" "overflow" ", class 56";
    an_overflow_of_an_odd_request:
        overflow_then_free::<Canaried>(33, 1); "Canaried" "overflow" ", class 48";
    an_overflow_of_no_bytes_at_all:
        overflow_then_free::<Canaried>(1, 1); "Canaried" "overflow" ", class 16";
    an_overflow_of_a_medium_block:
        overflow_then_free::<Canaried>(20_000, 1); "Canaried" "overflow" ", class 20096";
    an_overflow_of_a_large_block:
        overflow_then_free::<Canaried>(1_000_000, 1); "Canaried" "overflow" "";
    an_overflow_freed_there:
        overflow_then_free_there::<Canaried>(48); "Canaried" "overflow" ", class 56";
    an_overflow_of_a_medium_block_freed_there:
        overflow_then_free_there::<Canaried>(20_000); "Canaried" "overflow" ", class 20096";
    an_overflow_of_a_large_block_freed_there:
        overflow_then_free_there::<Canaried>(1_000_000); "Canaried" "overflow" "";
    an_overflow_of_a_block_that_is_grown_in_place:
        overflow_then_resize::<Canaried>(41, 44); "Canaried" "overflow" ", class 56";
    an_overflow_of_a_block_that_is_moved:
        overflow_then_resize::<Canaried>(48, 4000); "Canaried" "overflow" ", class 56";
    an_overflow_of_a_medium_block_that_is_grown:
        overflow_then_resize::<Canaried>(20_000, 20_010); "Canaried" "overflow" ", class 20096";
    an_overflow_of_a_large_block_that_is_grown:
        overflow_then_resize::<Canaried>(1_000_000, 1_100_000); "Canaried" "overflow" "";
    an_overflow_of_a_large_block_that_is_shrunk:
        overflow_then_resize::<Canaried>(1_000_000, 900_000); "Canaried" "overflow" "";
    an_overflow_of_a_block_grown_in_place:
        overflow_of_a_resized_block::<Canaried>(41, 44); "Canaried" "overflow" ", class 56";
    an_overflow_of_a_block_shrunk_in_place:
        overflow_of_a_resized_block::<Canaried>(44, 41); "Canaried" "overflow" ", class 56";
    an_overflow_of_a_grown_block:
        overflow_of_a_resized_block::<Canaried>(48, 4000); "Canaried" "overflow" ", class 4096";
    an_overflow_of_a_grown_large_block:
        overflow_of_a_resized_block::<Canaried>(300_000, 301_000); "Canaried" "overflow" "";
    an_overflow_of_a_shrunk_large_block:
        overflow_of_a_resized_block::<Canaried>(1_000_000, 100_000); "Canaried" "overflow" "";

    a_block_freed_again_while_it_waits:
        free_what_waits::<SignedAndWaiting>(48); "SignedAndWaiting" "double free" ", class 48";
    a_write_to_a_block_that_waits:
        write_to_what_waits::<SignedAndWaiting>(48, 8);
        "SignedAndWaiting" "write to a free block" ", class 48";

    guarded_finds_an_overflow:
        overflow_then_free::<Guarded>(48, 1); "Guarded" "overflow" ", class 56";
    guarded_finds_a_double_free:
        free_what_waits::<Guarded>(48); "Guarded" "double free" ", class 56";
    guarded_finds_a_write_to_any_byte:
        write_to_what_waits::<Guarded>(48, 40); "Guarded" "write to a free block" ", class 56";
    guarded_finds_a_write_to_any_byte_of_a_medium_block:
        write_to_what_waits::<Guarded>(20_000, 20_000);
        "Guarded" "write to a free block" ", class 20096";

    zero_alone_finds_a_write_to_a_free_block:
        write_to_what_is_free::<Cleared>(64, 64); "Cleared" "write to a free block" ", class 72";
    zero_alone_finds_a_write_to_a_free_medium_block:
        write_to_what_is_free::<Cleared>(20_000, 20_000);
        "Cleared" "write to a free block" ", class 32776";
    zero_alone_finds_a_write_to_a_block_freed_there:
        write_to_what_others_freed::<Cleared>(64, 32); "Cleared" "write to a free block" ", class 72";
    zero_alone_finds_a_write_to_a_free_large_block:
        write_to_a_large_block::<ClearedAndKept>(1_000_000, 999_992, 1_000_000);
        "ClearedAndKept" "write to a free block" "";
    guarded_finds_a_write_to_a_free_large_block:
        write_to_a_large_block::<GuardedAndKept>(1_000_000, 0, 1_000_000);
        "GuardedAndKept" "write to a free block" "";
    links_alone_finds_a_write_to_the_start_of_a_free_large_block:
        write_to_a_large_block::<SignedAndKept>(1_000_000, 8, 1_000_000);
        "SignedAndKept" "write to a free block" "";
    links_alone_finds_a_write_to_what_a_page_takes:
        write_to_a_large_block::<SignedAndKept>(1_000_000, 0, 64);
        "SignedAndKept" "write to a free block" "";
    zero_alone_finds_a_write_to_what_a_smaller_large_block_takes:
        write_to_a_large_block::<ClearedAndKept>(1_000_000, 8, 100_000);
        "ClearedAndKept" "write to a free block" "";
    zero_alone_finds_a_write_to_what_a_page_takes:
        write_to_a_large_block::<ClearedAndKept>(1_000_000, 8, 64); "ClearedAndKept" "write to a free block" "";
    zero_alone_finds_a_write_to_what_a_large_block_had_before_it_shrank:
        write_behind_a_shrunk_block::<ClearedAndKept>(); "ClearedAndKept" "write to a free block" "";
    zero_alone_finds_a_write_to_what_a_large_block_grows_over:
        write_before_a_block_grows::<ClearedAndKept>(); "ClearedAndKept" "write to a free block" "";
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
    // Half of 999, of which the deviation is 9; in windows of 128 blocks.
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

#[test]
fn fresh_blocks_come_from_near_the_last_one() {
    let size = 512;
    let blocks = (0..1000).map(|_| allocate::<Shuffled>(size));
    let order: Vec<_> = blocks.map(|block| block.addr().get()).collect();
    let apart = || {
        order
            .windows(2)
            .map(|pair| pair[0].abs_diff(pair[1]) / size)
    };
    // Of the seven steps within a window of eight blocks 1.75 lead to a neighbour, on average.
    assert!(apart().filter(|&blocks| blocks == 1).count() < 400);
    // Pages have 128 of them.
    assert!(apart().filter(|&blocks| blocks >= 2 * 8).count() < 20);
}

#[test]
fn a_freed_block_waits() {
    let size = 100;
    let block = allocate::<Quarantined>(size);
    free::<Quarantined>(block, size);
    // Of 4 KiB, 35 others of 112 bytes have room beside it.
    let others = [(); 35].map(|()| allocate::<Quarantined>(size));
    assert!(!others.contains(&block));
    for other in others {
        free::<Quarantined>(other, size);
    }
    let again: Vec<_> = (0..1000).map(|_| allocate::<Quarantined>(size)).collect();
    assert!(!again.contains(&block), "it still waits");
    free::<Quarantined>(again[0], size);
    let again: Vec<_> = (0..2000).map(|_| allocate::<Quarantined>(size)).collect();
    assert!(again.contains(&block), "the first in is the first out");
}

/// Others do the upkeep meanwhile, by which only what an idle thread freed goes home.
#[test]
fn what_a_busy_thread_freed_waits_whatever_others_do() {
    const SIZE: usize = 100;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                // Leaves the fast path, and lets slices go and come.
                free::<SignedAndWaiting>(allocate::<SignedAndWaiting>(100_000), 100_000);
            }
        });
        let start = Instant::now();
        let (mut rounds, mut too_early) = (0, 0);
        while start.elapsed() < Duration::from_millis(200) {
            let block = allocate::<SignedAndWaiting>(SIZE);
            free::<SignedAndWaiting>(block, SIZE);
            let before = Instant::now();
            // Less than half of what may wait.
            let others = (64 << 10) / 2 / class_bytes::<SignedAndWaiting>(SIZE) - 1;
            let is_handed_out = (0..others).any(|_| {
                let other = allocate::<SignedAndWaiting>(SIZE);
                free::<SignedAndWaiting>(other, SIZE);
                other == block
            });
            // A thread that was interrupted for so long was idle.
            if before.elapsed() < Duration::from_millis(5) {
                rounds += 1;
                too_early += u32::from(is_handed_out);
            }
        }
        is_over.store(true, Relaxed);
        assert_eq!(too_early, 0, "of {rounds}");
        assert!(rounds > 10);
    });
}

#[test]
fn blocks_of_all_classes_wait_together() {
    let block = allocate::<Quarantined>(100);
    free::<Quarantined>(block, 100);
    // Each takes more than half of what may wait.
    for _ in 0..2 {
        free::<Quarantined>(allocate::<Quarantined>(2100), 2100);
    }
    // Another test may have sent it home before, by a purge.
    let blocks: Vec<_> = (0..1000).map(|_| allocate::<Quarantined>(100)).collect();
    assert!(blocks.contains(&block));
}

#[test]
fn a_block_of_more_bytes_than_may_wait_does_not() {
    let block = allocate::<Quarantined>(5000);
    free::<Quarantined>(block, 5000);
    assert_eq!(allocate::<Quarantined>(5000), block);
}

#[test]
fn a_purge_lets_what_waits_go() {
    // The first keeps the page.
    let [_, block] = [(); 2].map(|()| allocate::<Quarantined>(300));
    free::<Quarantined>(block, 300);
    Quarantined::purge();
    let blocks: Vec<_> = (0..1000).map(|_| allocate::<Quarantined>(300)).collect();
    assert!(blocks.contains(&block));
}

#[test]
fn what_waits_goes_when_its_thread_ends() {
    let freed = std::thread::spawn(|| {
        let keep = allocate::<Quarantined>(700);
        let block = allocate::<Quarantined>(700);
        free::<Quarantined>(block, 700);
        (keep.addr(), block.addr())
    });
    let (_, block) = freed.join().expect("it ends");
    let blocks: Vec<_> = (0..1000)
        .map(|_| allocate::<Quarantined>(700).addr())
        .collect();
    assert!(blocks.contains(&block), "its page was adopted");
}

#[test]
fn what_another_thread_allocated_waits_where_it_is_freed() {
    // The first keeps the page.
    let [_, blocks @ ..] =
        [(); 4].map(|()| allocate::<Quarantined>(900).as_ptr().expose_provenance());
    let freed = std::thread::spawn(move || {
        // A heap of its own.
        free::<Quarantined>(allocate::<Quarantined>(16), 16);
        for address in blocks {
            let block = NonNull::new(std::ptr::with_exposed_provenance_mut(address));
            free::<Quarantined>(block.expect("a block"), 900);
        }
    });
    freed.join().expect("it ends");
    let again: Vec<_> = (0..1000)
        .map(|_| allocate::<Quarantined>(900).addr().get())
        .collect();
    assert!(
        blocks.iter().all(|block| again.contains(block)),
        "sent home at the end"
    );
}
