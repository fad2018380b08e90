//! A purge also gives back what is free inside pages that have live blocks, and the blocks there
//! are handed out again.

use allocator_core::derive_allocator;
use allocator_tests::block::Block;
use allocator_tests::process::{alone, resident_bytes};
use allocator_tests::random::Random;
use allocator_tests::subjects;

const MIB: usize = 1 << 20;
/// Live bytes at the start.
const TOTAL_BYTES: usize = 16 * MIB;
/// One block in so many stays.
const STAYING: usize = 20;

#[derive_allocator]
struct AsItComes;

#[derive_allocator(page = 512KiB, size_classes = geometric(quantum = 16, per_doubling = 8, max = 256KiB))]
struct LargePages;

#[derive_allocator(preset = stock, purge = never)]
struct NeverPurged;

subjects!(AsItComes, LargePages, NeverPurged);

/// Keeps the kernel from making huge pages of this process's memory: every ten seconds it looks for
/// some, and fills the holes of what it finds. One test run in many came upon that.
fn leave_holes_alone() {
    // SAFETY: an option of this process.
    let done = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    assert_eq!(done, 0);
}

/// Fragments a heap of blocks of `size`, purges, fills it again, and checks what is resident and that
/// no block ever changes.
macro_rules! purge_between {
    ($allocator:ty, $size:expr, at_most = $percent:expr) => {{
        let count = TOTAL_BYTES / $size;
        let fill = |cookie| Block::<$allocator>::new($size, 8, false, cookie).expect("memory");
        let before = resident_bytes();
        let mut random = Random::new($size as u64);
        let mut blocks: Vec<_> = (0..count as u64).map(fill).collect();
        while blocks.len() > count / STAYING {
            blocks.swap_remove(random.below(blocks.len())).free();
        }
        let fragmented = resident_bytes().saturating_sub(before);
        <$allocator>::purge();
        let purged = resident_bytes().saturating_sub(before);
        assert!(
            purged * 100 <= fragmented * $percent,
            "{} MiB of {} are resident after the purge of {} bytes blocks",
            purged / MIB,
            fragmented / MIB,
            $size
        );
        blocks.iter().for_each(Block::verify);
        // What lay in holes is handed out again, and freed blocks next to it are as good as any.
        blocks.extend((0..(count - blocks.len()) as u64).map(fill));
        assert!(
            resident_bytes().saturating_sub(before) <= fragmented + fragmented / 16 + 4 * MIB,
            "filling up takes the same pages"
        );
        blocks.iter().for_each(Block::verify);
        blocks.into_iter().for_each(Block::free);
        <$allocator>::purge();
        assert!(
            resident_bytes().saturating_sub(before) <= 4 * MIB,
            "all of it goes"
        );
    }};
}

#[test]
fn what_is_free_beside_live_blocks_is_given_back_and_handed_out_again() {
    let _alone = alone();
    leave_holes_alone();
    // Of so many neighbours on an OS page one stays with this probability: 0.95^64, 0.95^8, 0.95.
    purge_between!(AsItComes, 64, at_most = 100);
    purge_between!(AsItComes, 512, at_most = 60);
    purge_between!(AsItComes, 4096, at_most = 15);
    purge_between!(AsItComes, 20_000, at_most = 20);
    purge_between!(NeverPurged, 3000, at_most = 30);
    purge_between!(LargePages, 5000, at_most = 40);
    purge_between!(LargePages, 100_000, at_most = 40);
}
