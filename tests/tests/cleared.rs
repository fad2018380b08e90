//! Large blocks of types with `hardening(zero)`: cleared when they are freed, but for what nobody touched. One test at a
//! time: resident memory is the process's, and so are the slices.

use std::ops::Range;

use allocator_core::derive_allocator;
use allocator_core::os::Call;
use allocator_tests::injected::failures;
use allocator_tests::misused_block::{Block, allocate, free, read, write};
use allocator_tests::process::{alone, resident_bytes};
use allocator_tests::subjects;

/// Free memory is not given back, however long a test is interrupted.
#[derive_allocator(hardening(zero), purge = never)]
struct ClearedAndKept;

/// Serves itself from the same chunks.
#[derive_allocator(hardening(guards), purge = never)]
struct WalledAndKept;

subjects!(ClearedAndKept, WalledAndKept);

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
