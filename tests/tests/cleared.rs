//! Large blocks of types with `hardening(zero)`: cleared when they are freed, but for what nobody touched. One test at a
//! time: resident memory is the process's, and so are the slices.

use std::ops::Range;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::injected::failures;
use allocator_tests::misused_block::{Block, allocate, free, read, write};
use allocator_tests::process::{alone, resident_bytes};
use allocator_tests::subject::layout;
use allocator_tests::subjects;

/// Free memory is not given back, however long a test is interrupted.
#[derive_allocator(hardening(zero), purge = never)]
struct ClearedAndKept;

/// Serves itself from the same chunks.
#[derive_allocator(hardening(guards), purge = never)]
struct WalledAndKept;

/// As well, and clears the first words alone.
#[derive_allocator(hardening(links), purge = never)]
struct SignedAndKept;

/// Guards, and clears.
#[derive_allocator(hardening(guards, zero), purge = never)]
struct Fortified;

subjects!(ClearedAndKept, WalledAndKept, SignedAndKept, Fortified);

/// Whether all words of a part of a block are zero.
fn is_zero(block: Block, bytes: Range<usize>) -> bool {
    bytes.step_by(8).all(|at| read(block, at) == 0)
}

#[test]
fn a_freed_large_block_is_cleared() {
    let _alone = alone();
    let size = 3_000_000;
    // Whatever the OS does not say, or does not do.
    for refused in [None, Some(Call::Residence), Some(Call::Purge)] {
        let refusal = refused.map(failures);
        let block = allocate::<ClearedAndKept>(size);
        for at in (0..size).step_by(8 * 5001) {
            write(block, at, u64::MAX);
        }
        free::<ClearedAndKept>(block, size);
        assert!(is_zero(block, 0..size), "{refused:?}: what is free");
        assert_eq!(allocate::<ClearedAndKept>(size), block);
        assert!(is_zero(block, 0..size), "{refused:?}: what is handed out");
        free::<ClearedAndKept>(block, size);
        drop(refusal);
    }
}

#[test]
fn what_of_a_large_block_was_not_touched_is_not_cleared() {
    let _alone = alone();
    let size = 12 << 20;
    for _ in 0..3 {
        let before = resident_bytes();
        let block = allocate::<ClearedAndKept>(size);
        write(block, 0, 1);
        write(block, size - 8, 1);
        free::<ClearedAndKept>(block, size);
        let grown = resident_bytes().saturating_sub(before);
        assert!(grown < 1 << 20, "{grown}");
    }
}

/// Whether one of the blocks starts in `block`.
fn lies_in(blocks: &[Block], block: Block, size: usize) -> bool {
    let bytes = block.addr().get()..block.addr().get() + size;
    blocks
        .iter()
        .any(|other| bytes.contains(&other.addr().get()))
}

/// Types with and without `zero` serve themselves from the same slices.
#[test]
fn what_another_type_wrote_is_not_taken_for_a_mistake() {
    let _alone = alone();
    let size = 1_000_000;
    for size_of_other in [20_000, 300_000] {
        let block = allocate::<ClearedAndKept>(size);
        free::<ClearedAndKept>(block, size);
        let others: Vec<_> = (0..200)
            .map(|_| allocate::<WalledAndKept>(size_of_other))
            .collect();
        for &other in &others {
            write(other, 0, u64::MAX);
            write(other, size_of_other - 8, u64::MAX);
        }
        assert!(lies_in(&others, block, size), "what was free is used anew");
        for &other in &others {
            free::<WalledAndKept>(other, size_of_other);
        }
        let blocks = [(); 4].map(|()| allocate::<ClearedAndKept>(size));
        let is_shared = |&block: &Block| lies_in(&others, block, size);
        assert!(blocks.iter().any(is_shared), "and so is what the other had");
        for block in blocks {
            free::<ClearedAndKept>(block, size);
        }
    }
}

/// What one type cleared so far, another looks at so far.
#[test]
fn types_that_clear_more_or_less_share_slices() {
    let _alone = alone();
    let size = 1_000_000;
    for _ in 0..3 {
        let first = allocate::<SignedAndKept>(size);
        for at in (0..size).step_by(8) {
            write(first, at, u64::MAX);
        }
        free::<SignedAndKept>(first, size);
        assert!(is_zero(first, 0..16), "the first words are cleared");
        assert_eq!(read(first, 16), u64::MAX);
        let second = allocate::<ClearedAndKept>(size);
        assert_eq!(second, first, "what one type freed serves the other");
        write(second, size / 2, u64::MAX);
        free::<ClearedAndKept>(second, size);
        let third = allocate::<SignedAndKept>(size);
        assert_eq!(third, first, "and the other way round");
        free::<SignedAndKept>(third, size);
    }
}

/// The guards that are among what it would grow over stay, and nobody writes to them.
#[test]
fn a_block_that_cannot_grow_stays_as_it_was() {
    let _alone = alone();
    let (size, larger) = (600_000, 2_000_000);
    for also in [Call::Residence, Call::Purge] {
        let mut blocks: Vec<_> = (0..20).map(|_| allocate::<Fortified>(size)).collect();
        blocks.sort_unstable();
        let block = blocks[0];
        for other in blocks.drain(1..) {
            free::<Fortified>(other, size);
        }
        let refused = [Call::Unguard, Call::Map, also].map(failures);
        // SAFETY: this test's.
        let grown = unsafe { Fortified.reallocate(block, layout(size, 8), larger) };
        drop(refused);
        assert_eq!(grown, None);
        // SAFETY: as above.
        let grown = unsafe { Fortified.reallocate(block, layout(size, 8), larger) };
        free::<Fortified>(grown.expect("memory"), larger);
    }
}

/// Every second OS page of it was touched.
#[test]
fn what_was_touched_here_and_there_is_cleared() {
    let _alone = alone();
    let size = 4 << 20;
    let calls = fault::calls(Call::Purge);
    let block = allocate::<ClearedAndKept>(size);
    for at in (0..size).step_by(8192) {
        write(block, at, u64::MAX);
    }
    free::<ClearedAndKept>(block, size);
    let calls = fault::calls(Call::Purge) - calls;
    assert!(is_zero(block, 0..size));
    // One for each 64 KiB at most, also where the kernel has no call for several runs.
    assert!(calls <= 512 + 64, "{calls}");
}
