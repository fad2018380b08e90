//! What the options about memory do: limits, purging, and the arena that all types share.
//! One test at a time: calls of the OS and resident memory are the process's.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::crew::Worker;
use allocator_tests::process::{alone, resident_bytes};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

const MIB: usize = 1 << 20;

/// As many blocks as there are, up to `most`.
fn blocks<A: Subject>(size: usize, most: usize) -> Vec<Block<A>> {
    (0..most as u64)
        .map_while(|cookie| Block::new(size, 8, false, cookie))
        .collect()
}

fn free<A: Subject>(blocks: Vec<Block<A>>) {
    blocks.into_iter().for_each(Block::free);
}

// Limits.

#[derive_allocator(limit = 8MiB, stats = counters)]
struct Limited;

#[derive_allocator(limit = 1MiB, retire_cycles = 1000, purge = never)]
struct TightlyLimited;

#[derive_allocator(limit = 2MiB)]
struct AnotherLimit;

#[derive_allocator]
struct Unlimited;

subjects!(Limited, TightlyLimited, AnotherLimit, Unlimited);

#[test]
fn what_is_refused_has_nothing_else_refused() {
    let _alone = alone();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                assert!(Limited.allocate(layout(1 << 30, 8)).is_none());
            }
        });
        let served = (0..20_000).all(|_| {
            let block = Block::<Limited>::new(MIB, 8, false, 1);
            block.map(Block::free).is_some()
        });
        is_over.store(true, Relaxed);
        assert!(served, "an eighth of the limit, and nothing else is held");
    });
}

#[test]
fn over_its_limit_a_type_gets_null_and_after_frees_memory_again() {
    let _alone = alone();
    for size in [8, 48, 1000, 10_000, 32_000, 100_000, MIB] {
        let first = blocks::<Limited>(size, 2 * 8 * MIB / size);
        let bytes = first.len() * size;
        assert!(bytes <= 8 * MIB, "{size}: {bytes} bytes are over the limit");
        assert!(
            bytes >= 8 * MIB * 7 / 10,
            "{size}: only {bytes} bytes were had"
        );
        assert!(Limited::stats().held_bytes <= 8 * MIB);
        assert!(Limited::allocate_zeroed(layout(9 * MIB, 8)).is_none());
        assert!(Limited::allocate_zeroed(layout(MIB, 1 << 24)).is_none());
        // One block back makes room for one block.
        let mut first = first;
        first.pop().expect("a block").free();
        first.extend(blocks::<Limited>(size, 1));
        assert_eq!(first.len() * size, bytes, "{size}");
        free(first);
        let again = blocks::<Limited>(size, 2 * 8 * MIB / size);
        assert!(
            again.len() * size >= 8 * MIB * 7 / 10,
            "{size}: after frees"
        );
        free(again);
        Limited::check();
    }
    Limited::purge();
    assert_eq!(Limited::stats().held_bytes, 0);
}

#[test]
fn pages_kept_for_later_are_given_up_before_the_limit_refuses() {
    let _alone = alone();
    // Each size needs a page of half the budget or more, and nothing is live in between.
    for _ in 0..3 {
        for size in [10_000, 12_000, 14_000, 20_000, 32_000, 8, 100_000, 700_000] {
            free(vec![
                Block::<TightlyLimited>::new(size, 8, false, 1).expect("nothing is live"),
            ]);
        }
    }
    TightlyLimited::check();
}

#[derive_allocator(limit = 8MiB, purge = never, stats = counters)]
struct LimitedTogether;
subjects!(LimitedTogether);

#[test]
fn what_others_freed_is_brought_home_before_the_limit_refuses() {
    let _alone = alone();
    let owner = Worker::start();
    for (size, next_size) in [(48, 1000), (1000, 20_000), (20_000, 48)] {
        // The owner of the pages sleeps meanwhile, or has ended.
        let by_the_sleeper = owner.run(move || blocks::<LimitedTogether>(size, 4 * MIB / size));
        let by_the_dead = std::thread::spawn(move || blocks::<LimitedTogether>(size, usize::MAX))
            .join()
            .expect("no fault");
        assert!(LimitedTogether::stats().held_bytes > 7 * MIB);
        free(by_the_sleeper);
        free(by_the_dead);
        let next = blocks::<LimitedTogether>(next_size, usize::MAX);
        assert!(next.len() * next_size > 6 * MIB, "{size}, then {next_size}");
        free(next);
        LimitedTogether::check();
    }
}

#[test]
fn a_type_at_its_limit_does_not_stop_another() {
    let _alone = alone();
    let held = blocks::<Limited>(1000, usize::MAX);
    assert!(Limited.allocate(layout(MIB, 8)).is_none());
    let (other, unlimited) = (
        blocks::<AnotherLimit>(1000, 1500),
        blocks::<Unlimited>(MIB, 32),
    );
    assert_eq!((other.len(), unlimited.len()), (1500, 32));
    free(other);
    free(unlimited);
    free(held);
}

#[test]
fn reallocation_over_the_limit_leaves_the_block() {
    let _alone = alone();
    for size in [100, 5000, 100_000, 3 * MIB] {
        let mut block = Block::<Limited>::new(size, 8, false, 3).expect("memory");
        let start = block.start();
        for new_size in [9 * MIB, 100 * MIB] {
            assert!(!block.reallocate(new_size), "{size} to {new_size}");
            assert_eq!(block.start(), start);
        }
        block.free();
    }
    Limited::purge();
    assert_eq!(Limited::stats().held_bytes, 0, "nothing stays charged");
}

#[derive_allocator(limit = 40MiB, stats = counters)]
struct LimitedHuge;
subjects!(LimitedHuge);

#[test]
fn huge_blocks_are_charged_as_they_grow_and_shrink() {
    let _alone = alone();
    let held = || LimitedHuge::stats().held_bytes;
    let mut block = Block::<LimitedHuge>::new(20 * MIB, 8, false, 1).expect("memory");
    assert_eq!(held(), 20 * MIB);
    assert!(block.reallocate(30 * MIB) && !block.reallocate(41 * MIB));
    assert_eq!(held(), 30 * MIB);
    assert!(Block::<LimitedHuge>::new(11 * MIB, 8, false, 1).is_none());
    assert!(block.reallocate(9 * MIB));
    assert_eq!(held(), 9 * MIB);
    assert!(block.reallocate(3 * MIB));
    assert_eq!(held(), 3 * MIB);
    block.free();
    assert_eq!(held(), 0);
}

// Purging.

#[derive_allocator(purge = never)]
struct PurgeNever;

#[derive_allocator(purge = now, retire_cycles = 0)]
struct PurgeNow;

subjects!(PurgeNever, PurgeNow);

/// Resident bytes over the start: while 100 MB are live, after they were freed, after `purge()`.
fn resident<A: Subject>(size: usize) -> [usize; 3] {
    let layout = layout(size, 8);
    A::purge();
    let start = resident_bytes();
    let over = || resident_bytes().saturating_sub(start);
    // Each block holds the link to the one before, so that nothing else takes memory.
    let mut last: Option<NonNull<u8>> = None;
    for _ in 0..100_000_000 / size {
        let block = A::allocate(layout).expect("memory");
        // SAFETY: the block has `size` bytes, a word at least, and is aligned to one.
        unsafe {
            block.write_bytes(1, size);
            block.cast().write(last);
        }
        last = Some(block);
    }
    let live = over();
    while let Some(block) = last {
        // SAFETY: written above; then live, of this layout.
        unsafe {
            last = block.cast().read();
            A::deallocate(block, layout);
        }
    }
    let freed = over();
    A::purge();
    [live, freed, over()]
}

#[test]
fn purge_gives_all_free_memory_back_whatever_the_option_says() {
    let _alone = alone();
    for size in [64, 3000, 30_000, 400_000, 5_000_000] {
        let [live, freed, purged] = resident::<PurgeNever>(size);
        println!("purge = never, {size} bytes: {live} live, {freed} freed, {purged} purged");
        assert!(
            live > 90_000_000 && purged < 4 * MIB,
            "{size}: {live}, {purged}"
        );
        assert!(freed > 50_000_000, "{size}: never means never, not {freed}");
    }
}

#[test]
fn purge_now_gives_memory_back_as_it_gets_free() {
    let _alone = alone();
    for size in [64, 3000, 30_000, 400_000, 5_000_000] {
        let [live, freed, purged] = resident::<PurgeNow>(size);
        println!("purge = now, {size} bytes: {live} live, {freed} freed, {purged} purged");
        assert!(
            live > 90_000_000 && freed < 8 * MIB && purged < 4 * MIB,
            "{size}: {freed}"
        );
    }
}

// One arena.

#[derive_allocator(stats = counters)]
struct First;

#[derive_allocator(preset = stock, page = 256KiB, stats = counters)]
struct Second;

subjects!(First, Second);

#[test]
fn what_one_type_gives_back_serves_another_without_a_new_mapping() {
    let _alone = alone();
    for size in [64, 3000, 20_000, 200_000, 3_000_000] {
        let count = 50_000_000 / size;
        let first = blocks::<First>(size, count);
        free(first);
        First::purge();
        assert_eq!(First::stats().held_bytes, 0);
        let (maps, before) = (fault::calls(Call::Map), Second::stats().allocations);
        let second = blocks::<Second>(size, count / 2);
        assert_eq!(Second::stats().allocations - before, count as u64 / 2);
        assert_eq!(fault::calls(Call::Map), maps, "{size}: a new mapping");
        free(second);
    }
}
