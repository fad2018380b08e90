//! Sampling: one block in some has OS pages of its own, between guards, and faults after its free.

use std::collections::BTreeSet;
use std::ptr::NonNull;
use std::thread;

use allocator_core::derive_allocator;
use allocator_core::os::Call;
use allocator_tests::checked_load;
use allocator_tests::injected::failures;
use allocator_tests::probe::{read_faults, signal_of, write_faults};
use allocator_tests::process::{OS_PAGE_BYTES, alone};
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

/// As many as can be: one each time that a bin is filled.
#[derive_allocator(hardening(sample = 1), small_extend = batch(64), stats = counters)]
struct Often;

/// As in production.
#[derive_allocator(hardening(sample = 4096), stats = counters)]
struct Seldom;

/// With chunks of its own.
#[derive_allocator(
    hardening(sample = 1, isolate),
    small_extend = batch(64),
    limit = 64MiB,
    stats = counters,
)]
struct Isolated;

/// Of which nothing is sampled.
#[derive_allocator(stats = counters)]
struct Never;

subjects!(Often, Seldom, Isolated, Never);

fn allocate<A: Subject>(size: usize) -> NonNull<u8> {
    A::allocate(layout(size, 8)).expect("memory")
}

fn free<A: Subject>(block: NonNull<u8>, size: usize) {
    // SAFETY: a live block of this layout, but in children that are to end by it.
    unsafe { A::deallocate(block, layout(size, 8)) };
}

fn at(start: NonNull<u8>, offset: isize) -> NonNull<u8> {
    NonNull::new(start.as_ptr().wrapping_offset(offset)).expect("not null")
}

/// A sampled block, and the others that were allocated before it came.
fn sampled<A: Subject>(size: usize) -> (NonNull<u8>, Vec<NonNull<u8>>) {
    let mut others = Vec::new();
    for _ in 0..100_000 {
        let before = A::stats().sampled;
        let block = allocate::<A>(size);
        if A::stats().sampled > before {
            return (block, others);
        }
        others.push(block);
    }
    panic!("no block of {size} bytes was sampled");
}

/// [`sampled`], the others freed.
fn one_sampled<A: Subject>(size: usize) -> NonNull<u8> {
    let (block, others) = sampled::<A>(size);
    for other in others {
        free::<A>(other, size);
    }
    block
}

#[test]
fn a_sampled_block_lies_between_guards() {
    let _alone = alone();
    for size in [8, 40, 1000, 4096, 5000, 20_000, 32_768] {
        let block = one_sampled::<Often>(size);
        let usable = Often.usable_size(layout(size, 8));
        // SAFETY: the block's own bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), usable) };
        assert!(bytes.iter().all(|&byte| byte == 0), "{size}: fresh memory");
        bytes.fill(7);
        assert!(write_faults(at(block, usable as isize)), "{size}");
        assert!(!write_faults(at(block, usable as isize - 1)), "{size}");
        let pages = block.addr().get() / OS_PAGE_BYTES * OS_PAGE_BYTES;
        let before = pages as isize - block.addr().get() as isize - 1;
        assert!(write_faults(at(block, before)), "{size}");
        free::<Often>(block, size);
    }
}

#[test]
fn a_use_after_free_of_a_sampled_block_faults() {
    let _alone = alone();
    for size in [8, 1000, 20_000] {
        let block = one_sampled::<Often>(size);
        free::<Often>(block, size);
        assert!(write_faults(block) && read_faults(block), "{size}");
        let again = signal_of(|| free::<Often>(block, size));
        assert_eq!(again, libc::SIGSEGV, "{size}: freed twice");
        // It stays so while others come and go.
        for _ in 0..50 {
            free::<Often>(one_sampled::<Often>(size), size);
        }
        assert!(write_faults(block), "{size}");
    }
}

#[test]
fn slots_are_used_again_in_their_turn() {
    let _alone = alone();
    let mut seen = BTreeSet::new();
    let again = (0..1000).any(|_| {
        let block = one_sampled::<Often>(64);
        free::<Often>(block, 64);
        !seen.insert(block)
    });
    assert!(again && seen.len() > 50, "after {} others", seen.len());
}

#[test]
fn any_thread_frees_a_sampled_block() {
    let _alone = alone();
    let before = Often::stats();
    let blocks: Vec<_> = (0..300)
        .map(|_| one_sampled::<Often>(100).expose_provenance())
        .collect();
    let free_all = move || {
        for block in blocks {
            let block = std::ptr::with_exposed_provenance_mut(block.get());
            free::<Often>(NonNull::new(block).expect("a block"), 100);
        }
    };
    thread::spawn(free_all)
        .join()
        .expect("the thread ends well");
    Often::purge();
    Often::check();
    let after = Often::stats();
    assert_eq!(
        after.allocations - before.allocations,
        after.frees - before.frees
    );
}

#[test]
fn resizing_keeps_what_a_sampled_block_holds() {
    let _alone = alone();
    let block = one_sampled::<Often>(1000);
    // SAFETY: the block's own bytes.
    unsafe { block.write_bytes(9, 1000) };
    // SAFETY: a live block of this layout.
    let grown = unsafe { <Often as Subject>::reallocate(block, layout(1000, 8), 9000) };
    let grown = grown.expect("memory");
    // SAFETY: the block's own bytes.
    let bytes = unsafe { std::slice::from_raw_parts(grown.as_ptr(), 1000) };
    assert!(bytes.iter().all(|&byte| byte == 9));
    assert!(write_faults(block), "what it was is freed");
    free::<Often>(grown, 9000);
}

#[test]
fn about_one_block_in_so_many_is_sampled() {
    let _alone = alone();
    const BLOCKS: usize = 1_000_000;
    let mut random = Random::new(seed_of("one in so many"));
    let mut live: Vec<_> = (0..10_000).map(|_| allocate::<Seldom>(48)).collect();
    let before = Seldom::stats().sampled;
    for _ in 0..BLOCKS / 10_000 {
        // All of it, so that bins are filled by as many blocks as are handed out.
        random.shuffle(&mut live);
        for block in live.drain(..) {
            free::<Seldom>(block, 48);
        }
        Seldom::purge();
        live.extend((0..10_000).map(|_| allocate::<Seldom>(48)));
    }
    let count = Seldom::stats().sampled - before;
    let expected = (BLOCKS / 4096) as u64;
    assert!(
        (expected * 7 / 10..expected * 13 / 10).contains(&count),
        "{count} of {BLOCKS}"
    );
    for block in live {
        free::<Seldom>(block, 48);
    }
    assert_eq!(Never::stats().sampled, 0);
}

#[test]
fn more_than_there_are_slots_for_are_ordinary_blocks() {
    let _alone = alone();
    let before = Often::stats().sampled;
    let blocks: Vec<_> = (0..20_000).map(|_| allocate::<Often>(500)).collect();
    let count = Often::stats().sampled - before;
    assert!((300..=512).contains(&count), "{count} at a time");
    for block in blocks {
        free::<Often>(block, 500);
    }
    free::<Often>(one_sampled::<Often>(500), 500);
}

#[test]
fn where_no_guard_can_be_had_nothing_is_sampled() {
    let _alone = alone();
    // Slots that have their guards already serve on.
    let neither = (
        failures(Call::Guard),
        failures(Call::Protect),
        failures(Call::Unguard),
    );
    let mut random = Random::new(seed_of("no guards to sample with"));
    for _ in 0..5 {
        assert_eq!(checked_load::run::<Often>(&mut random, 100).refused, 0);
        assert_eq!(checked_load::run::<Isolated>(&mut random, 100).refused, 0);
    }
    drop(neither);
    assert_eq!(checked_load::run::<Often>(&mut random, 100).refused, 0);
    free::<Often>(one_sampled::<Often>(700), 700);
}

#[test]
fn where_the_os_cannot_mark_guards_they_are_protected() {
    let _alone = alone();
    let marking_fails = failures(Call::Guard);
    for _ in 0..100 {
        // New slots, or those that were marked.
        let block = one_sampled::<Often>(3000);
        let usable = Often.usable_size(layout(3000, 8));
        assert!(write_faults(at(block, usable as isize)));
        free::<Often>(block, 3000);
        assert!(write_faults(block));
    }
    drop(marking_fails);
}

#[test]
fn a_slot_of_an_isolated_type_serves_no_other() {
    let _alone = alone();
    let slots = |block: NonNull<u8>| block.addr().get() >> 17;
    let mut isolated = BTreeSet::new();
    let mut often = BTreeSet::new();
    for _ in 0..200 {
        let (a, b) = (one_sampled::<Isolated>(64), one_sampled::<Often>(64));
        isolated.insert(slots(a));
        often.insert(slots(b));
        free::<Isolated>(a, 64);
        free::<Often>(b, 64);
    }
    assert!(isolated.is_disjoint(&often));
    let held = Isolated::stats().held_bytes;
    let block = one_sampled::<Isolated>(64);
    free::<Isolated>(block, 64);
    assert!(
        Isolated::stats().held_bytes <= held + (128 << 10),
        "what it took is given back"
    );
}
