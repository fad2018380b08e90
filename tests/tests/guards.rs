//! Guards: what runs over the end of a page, a large or a huge block, or reaches for the headers, faults
//! there and then.
//!
//! That a touch faults is tried out in children of fork, at the exact address.

use std::ptr::NonNull;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::block::Block;
use allocator_tests::checked_load;
use allocator_tests::crew::Worker;
use allocator_tests::ends::{LARGE_MAX, SLICE_BYTES, allocate, at, end_of_slices, free, resizes};
use allocator_tests::injected::failures;
use allocator_tests::probe::{read_faults, write_faults};
use allocator_tests::process::{OS_PAGE_BYTES, alone, resident_bytes};
use allocator_tests::program::Program;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

const CHUNK_BYTES: usize = 32 << 20;

/// Guards around headers, and no others.
#[derive_allocator(hardening(headers), stats = counters)]
struct Headed;

/// That in chunks with huge pages.
#[derive_allocator(hardening(headers), thp = always)]
struct Dense;

/// Both kinds of guards.
#[derive_allocator(hardening(headers, guards))]
struct Both;

/// Nothing but guards.
#[derive_allocator(hardening(guards), stats = counters)]
struct Guarded;

/// Guards that move as often as they can.
#[derive_allocator(hardening(guards, isolate), purge = now, retire_cycles = 0, stats = counters)]
struct Restless;

/// Without.
#[derive_allocator(stats = counters)]
struct Bare;

/// A guard behind huge blocks, which take no huge pages; not room for two of them.
#[derive_allocator(hardening(headers), thp = never, limit = 60MiB)]
struct Tight;

subjects!(Headed, Dense, Both, Guarded, Restless, Bare, Tight);

#[test]
fn a_write_that_runs_off_a_page_faults_at_its_last_os_page() {
    let _alone = alone();
    for size in [8, 32, 48, 1000, 4096, 8192] {
        let block = allocate::<Guarded>(size);
        let guard = at(end_of_slices(block, 1), -(OS_PAGE_BYTES as isize));
        assert!(write_faults(guard), "{size}");
        assert!(read_faults(guard), "{size}");
        assert!(
            write_faults(at(guard, OS_PAGE_BYTES as isize - 1)),
            "{size}"
        );
        assert!(
            !write_faults(at(guard, -1)),
            "{size}: that is the page's own"
        );
        free::<Guarded>(block, size);
    }
}

#[test]
fn no_block_reaches_into_the_guard_of_its_page() {
    for class in Guarded::CONFIG.classes() {
        assert_eq!(
            class.blocks_per_page,
            (class.page_bytes - OS_PAGE_BYTES) / class.block_bytes
        );
        let mut blocks = Vec::new();
        for cookie in 0..2 * class.blocks_per_page as u64 + 1 {
            blocks
                .push(Block::<Guarded>::new(class.block_bytes, 8, false, cookie).expect("memory"));
        }
        // Each verifies that its content is still there.
        blocks.into_iter().for_each(Block::free);
    }
}

#[test]
fn a_write_that_runs_off_a_page_of_large_classes_faults() {
    let _alone = alone();
    let size = 20_000;
    let block = allocate::<Guarded>(size);
    // The page is four times as large as one of small blocks.
    let end = block.map_addr(|address| {
        let page = 4 * SLICE_BYTES;
        (address.get() / page * page + page)
            .try_into()
            .expect("not 0")
    });
    assert!(write_faults(at(end, -(OS_PAGE_BYTES as isize))));
    assert!(!write_faults(at(end, -(OS_PAGE_BYTES as isize) - 1)));
    free::<Guarded>(block, size);
}

#[test]
fn a_write_that_runs_off_a_large_block_faults_at_the_next_os_page() {
    let _alone = alone();
    // The last ones need one more slice for the guard.
    for size in [70_000, 1_000_000, 1 << 20, (1 << 20) - 100, 3 * SLICE_BYTES] {
        let block = allocate::<Guarded>(size);
        let end = size.next_multiple_of(OS_PAGE_BYTES);
        assert_eq!(Guarded.usable_size(layout(size, 8)), end, "{size}");
        assert!(!write_faults(at(block, end as isize - 1)), "{size}");
        assert!(write_faults(at(block, end as isize)), "{size}");
        let last = at(end_of_slices(block, end + 1), -1);
        assert!(
            write_faults(last),
            "{size}: the rest of the slice is guarded, too"
        );
        free::<Guarded>(block, size);
    }
}

#[test]
fn a_write_that_runs_off_a_huge_block_faults_at_the_next_os_page() {
    let _alone = alone();
    for size in [LARGE_MAX - 4000, LARGE_MAX, 17_000_001, 40 << 20] {
        let block = allocate::<Guarded>(size);
        let end = size.next_multiple_of(OS_PAGE_BYTES) as isize;
        assert!(!write_faults(at(block, end - 1)), "{size}");
        assert!(write_faults(at(block, end)), "{size}");
        free::<Guarded>(block, size);
    }
}

#[test]
fn the_guard_moves_with_the_end_of_a_large_block() {
    let _alone = alone();
    let sizes = [
        200_000,
        204_000,
        260_000,
        262_144,
        300_000,
        1 << 20,
        1_100_000,
        900_000,
        131_072,
        70_000,
        7_000_000,
    ];
    resizes::<Guarded>(&sizes);
    resizes::<Restless>(&sizes);
}

#[test]
fn the_guard_moves_with_the_end_of_a_huge_block() {
    let _alone = alone();
    let sizes = [
        17 << 20,
        18 << 20,
        (18 << 20) + 1,
        80 << 20,
        20 << 20,
        17 << 20,
    ];
    resizes::<Guarded>(&sizes);
    resizes::<Restless>(&sizes);
}

/// Where the headers of a block's chunk are.
fn headers_of(block: NonNull<u8>) -> NonNull<u8> {
    block.map_addr(|address| {
        let start = address.get() / CHUNK_BYTES * CHUNK_BYTES;
        start.try_into().expect("not 0")
    })
}

/// Whether the headers of a block's chunk, which are there, lie between guards.
fn are_headers_guarded(block: NonNull<u8>) -> bool {
    let headers = headers_of(block);
    assert!(!read_faults(headers), "the headers are there");
    assert!(!read_faults(at(headers, SLICE_BYTES as isize - 1)));
    // What is before a chunk without guards is chance.
    let behind = write_faults(at(headers, SLICE_BYTES as isize));
    let behind_too = write_faults(at(headers, 2 * SLICE_BYTES as isize - 1));
    assert_eq!(behind, behind_too);
    if behind {
        assert!(write_faults(at(headers, -1)));
        assert!(write_faults(at(headers, -(OS_PAGE_BYTES as isize))));
    }
    behind
}

/// Whether those of all chunks that serve a type are guarded, be its blocks small, large or huge.
fn are_all_headers_guarded<A: Subject>() -> bool {
    let sizes = [
        40,
        3000,
        20_000,
        400_000,
        8 << 20,
        8 << 20,
        8 << 20,
        8 << 20,
    ];
    let blocks = sizes.map(|size| (allocate::<A>(size), size));
    let guarded: Vec<_> = blocks
        .iter()
        .map(|block| are_headers_guarded(block.0))
        .collect();
    for (block, size) in blocks {
        free::<A>(block, size);
    }
    assert!(
        guarded.windows(2).all(|two| two[0] == two[1]),
        "{guarded:?}"
    );
    guarded[0]
}

#[test]
fn headers_have_guards_on_both_sides() {
    let _alone = alone();
    assert!(are_all_headers_guarded::<Headed>());
    assert!(are_all_headers_guarded::<Dense>());
    assert!(are_all_headers_guarded::<Both>());
    // The type of its own has a chunk that no other one made.
    assert!(!are_all_headers_guarded::<Restless>());
}

#[test]
fn chunks_with_guarded_headers_serve_types_without_but_not_the_other_way() {
    let _alone = alone();
    let chunk_of = |block: NonNull<u8>| block.addr().get() / CHUNK_BYTES;
    // Fills what there is of other chunks, so that the next one is new.
    let mut bare = Vec::new();
    let unguarded = loop {
        let block = allocate::<Bare>(4 << 20);
        bare.push(block);
        if !are_headers_guarded(block) {
            break block;
        }
        assert!(
            bare.len() < 100,
            "a chunk without guards is made at some time"
        );
    };
    let headed: Vec<_> = (0..20).map(|_| allocate::<Headed>(4 << 20)).collect();
    for &block in &headed {
        assert_ne!(chunk_of(block), chunk_of(unguarded));
        assert!(are_headers_guarded(block));
    }
    for &block in &headed {
        free::<Headed>(block, 4 << 20);
    }
    let more: Vec<_> = (0..40).map(|_| allocate::<Bare>(4 << 20)).collect();
    let is_lent = |block: &NonNull<u8>| {
        headed
            .iter()
            .any(|&other| chunk_of(other) == chunk_of(*block))
    };
    assert!(
        more.iter().any(is_lent),
        "what Headed has given back serves Bare"
    );
    for block in bare.into_iter().chain(more) {
        free::<Bare>(block, 4 << 20);
    }
}

#[test]
fn a_type_with_guarded_headers_has_all_of_its_pages() {
    let _alone = alone();
    for class in Headed::CONFIG.classes() {
        assert_eq!(class.blocks_per_page, class.page_bytes / class.block_bytes);
    }
    let block = allocate::<Headed>(4096);
    let last = end_of_slices(block, 1);
    assert!(!write_faults(at(last, -1)), "no guard is in the page");
    free::<Headed>(block, 4096);
}

#[test]
fn memory_with_guards_serves_no_type_without() {
    let _alone = alone();
    let guarded = allocate::<Guarded>(100_000);
    free::<Guarded>(guarded, 100_000);
    Guarded::purge();
    let bare: Vec<_> = (0..50).map(|_| allocate::<Bare>(100_000)).collect();
    for &block in &bare {
        assert!(
            block.addr().get() / CHUNK_BYTES != guarded.addr().get() / CHUNK_BYTES,
            "a guard could be in the way"
        );
        // SAFETY: the block's own bytes, to the last of its slices.
        unsafe { block.write_bytes(1, Bare.usable_size(layout(100_000, 8))) };
        free::<Bare>(block, 100_000);
    }
}

#[test]
fn guards_stay_where_the_same_comes_again() {
    let _alone = alone();
    let twice = || {
        let block = allocate::<Guarded>(300_000);
        free::<Guarded>(block, 300_000);
        block
    };
    let first = twice();
    let calls = || fault::calls(Call::Guard) + fault::calls(Call::Unguard);
    let before = calls();
    for _ in 0..100 {
        assert_eq!(twice(), first);
    }
    assert_eq!(calls(), before);
}

#[test]
fn purged_memory_keeps_its_guards() {
    let _alone = alone();
    let blocks: Vec<_> = (0..40).map(|_| allocate::<Guarded>(500_000)).collect();
    for &block in &blocks {
        // SAFETY: the block's own bytes.
        unsafe { block.write_bytes(1, 500_000) };
    }
    let before = resident_bytes();
    for block in blocks {
        free::<Guarded>(block, 500_000);
    }
    Guarded::purge();
    let given_back = before.saturating_sub(resident_bytes());
    assert!(given_back > 30 * 500_000, "{given_back} bytes given back");
    let block = allocate::<Guarded>(500_000);
    let end = 500_000_usize.next_multiple_of(OS_PAGE_BYTES) as isize;
    assert!(write_faults(at(block, end)));
    free::<Guarded>(block, 500_000);
}

/// What every kind of load does, with guards put and taken away all the time.
fn load(seed: &str) {
    let mut random = Random::new(seed_of(seed));
    for _ in 0..10 {
        assert_eq!(checked_load::run::<Restless>(&mut random, 60).refused, 0);
        let worker = Worker::start();
        let seed = random.next();
        let refused = worker
            .run(move || checked_load::run::<Restless>(&mut Random::new(seed), 60))
            .refused;
        assert_eq!(refused, 0);
        resizes_unseen();
        Restless::purge();
        Restless::check();
    }
}

/// Large and huge blocks that grow and shrink, verified.
fn resizes_unseen() {
    for sizes in [[200_000, 400_000, 66_000], [17 << 20, 40 << 20, 18 << 20]] {
        let mut block = Block::<Restless>::new(sizes[0], 8, true, 3).expect("memory");
        for size in &sizes[1..] {
            assert!(block.reallocate(*size));
        }
        block.free();
    }
}

#[test]
fn clean_programs_never_run_into_a_guard() {
    let _alone = alone();
    load("guards");
}

#[test]
fn where_the_os_cannot_mark_guards_they_are_protected() {
    let _alone = alone();
    let marking_fails = failures(Call::Guard);
    let skipped = Restless::stats().guards_skipped;
    let protected = fault::calls(Call::Protect);
    load("protected guards");
    // A size that nothing else here has.
    resizes::<Restless>(&[222_000, 333_000, 111_000]);
    resizes::<Restless>(&[17 << 20, 50 << 20, 17 << 20]);
    let block = allocate::<Restless>(40);
    assert!(write_faults(at(end_of_slices(block, 1), -1)));
    free::<Restless>(block, 40);
    assert!(fault::calls(Call::Protect) > protected);
    assert_eq!(
        Restless::stats().guards_skipped,
        skipped,
        "none was left out"
    );
    drop(marking_fails);
    // Both kinds mixed, and the protected ones taken away.
    load("guards after protected ones");
}

#[test]
fn where_no_guard_can_be_had_it_is_left_out_and_counted() {
    let _alone = alone();
    let neither = (failures(Call::Guard), failures(Call::Protect));
    let skipped = Restless::stats().guards_skipped;
    load("no guards");
    assert!(Restless::stats().guards_skipped > skipped);
    drop(neither);
    load("guards after none");
}

#[test]
fn guards_that_cannot_be_taken_away_are_mapped_over() {
    let _alone = alone();
    let refused = failures(Call::Unguard);
    let before = fault::calls(Call::Unguard);
    load("guards that stay");
    assert!(fault::calls(Call::Unguard) > before, "it was tried");
    drop(refused);
}

#[test]
fn a_guard_that_stays_behind_a_huge_block_is_not_forgotten() {
    let _alone = alone();
    let (size, larger) = (20 << 20, 24 << 20);
    for protects in [false, true] {
        let marking_fails = protects.then(|| failures(Call::Guard));
        let block = allocate::<Headed>(size);
        drop(marking_fails);
        let calls = [Call::Unguard, Call::Map, Call::Guard, Call::Protect];
        let refused = calls.map(failures);
        // SAFETY: this test's.
        let grown = unsafe { Headed.reallocate(block, layout(size, 8), larger) };
        assert_eq!(grown, None);
        drop(refused);
        assert!(write_faults(at(block, size as isize)));
        // SAFETY: as above.
        let block = unsafe { Headed.reallocate(block, layout(size, 8), larger) }.expect("memory");
        // SAFETY: the block's own bytes.
        unsafe { block.write_bytes(1, larger) };
        assert!(write_faults(at(block, larger as isize)));
        free::<Headed>(block, larger);
    }
}

#[test]
fn a_huge_block_with_a_guard_grows_without_a_second_one() {
    let _alone = alone();
    let (size, larger) = (40 << 20, 50 << 20);
    let block = allocate::<Tight>(size);
    // SAFETY: this test's.
    let block = unsafe { Tight.reallocate(block, layout(size, 8), larger) };
    free::<Tight>(block.expect("within the limit"), larger);
}

#[test]
fn protected_guards_stay_within_their_budget() {
    let _alone = alone();
    let marking_fails = failures(Call::Guard);
    let skipped = Restless::stats().guards_skipped;
    // A guard each, and more of them than may be protected: 16,384.
    let blocks: Vec<_> = (0..18_000).map(|_| allocate::<Restless>(60_000)).collect();
    let left_out = Restless::stats().guards_skipped - skipped;
    assert!((1_000..3_000).contains(&left_out), "{left_out}");
    for block in blocks {
        free::<Restless>(block, 60_000);
    }
    drop(marking_fails);
}

/// The face of C.
const EXPORTED: &str = env!("CARGO_BIN_EXE_exported_walled");
/// As that, and many blocks are sampled.
const SAMPLED: &str = env!("CARGO_BIN_EXE_exported_sampled");

#[test]
fn what_c_may_do_it_may_do_under_guards() {
    for scenario in [
        "c_corners",
        "c_alignments",
        "c_extremes",
        "c_growth",
        "c_random",
        "c_huge",
        "only_frees",
        "c_first_acts",
    ] {
        Program::new(EXPORTED, &[scenario]).succeeds();
        Program::new(SAMPLED, &[scenario]).succeeds();
    }
    Program::new(EXPORTED, &["churn", "500"]).succeeds();
    Program::new(EXPORTED, &["forks", "20"]).succeeds();
    for call in ["Map", "Unmap", "Guard", "Unguard"] {
        Program::new(EXPORTED, &["forks_while_parked", call]).succeeds();
    }
}

#[test]
fn a_zero_size_block_of_c_faults() {
    Program::new(EXPORTED, &["c_zero_sized"]).succeeds();
}

#[test]
fn blocks_of_c_have_guards_around_them() {
    Program::new(EXPORTED, &["c_overflows"]).succeeds();
    Program::new(SAMPLED, &["c_overflows"]).succeeds();
    Program::new(SAMPLED, &["c_sampled"]).succeeds();
}

#[test]
fn the_mappings_of_a_process_with_guards_may_be_used_up() {
    Program::new(EXPORTED, &["mappings_used_up"]).succeeds();
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_kernel_may_refuse_calls_of_a_process_with_guards() {
    Program::new(EXPORTED, &["c_maps_fail"]).succeeds();
    Program::new(EXPORTED, &["c_other_calls_fail"]).succeeds();
    Program::new(SAMPLED, &["c_maps_fail"]).succeeds();
}
