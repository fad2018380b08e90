//! A small load that checks what it gets: for the declarations that compile.

use std::alloc::{GlobalAlloc, Layout};

/// Runs the load on an allocator.
#[allow(dead_code)]
pub fn check<A: GlobalAlloc>(allocator: &A) {
    blocks_of_all_sizes_keep_their_bytes(allocator);
    zeroed_blocks_are_zero_even_where_dirt_was(allocator);
    reallocated_blocks_keep_their_bytes(allocator);
    alignments_are_kept(allocator);
}

/// Fills with a byte that depends on the block, checks later, frees in another order.
fn blocks_of_all_sizes_keep_their_bytes<A: GlobalAlloc>(allocator: &A) {
    let sizes: Vec<usize> = (1..=600)
        .chain([1024, 4096, 5000, 32 << 10, 40 << 10, 1 << 20])
        .collect();
    for round in 0..3 {
        let mut blocks = Vec::new();
        for &size in &sizes {
            let layout = Layout::from_size_align(size, 1).unwrap();
            // SAFETY: the size is not zero.
            let block = unsafe { allocator.alloc(layout) };
            assert!(!block.is_null(), "{size} bytes");
            // SAFETY: the block has this many bytes.
            unsafe { block.write_bytes(mark(size, round), size) };
            blocks.push((block, layout));
        }
        // Every third first, so that pages are left and found again.
        for start in 0..3 {
            for &(block, layout) in blocks.iter().skip(start).step_by(3) {
                assert_filled(block, layout.size(), mark(layout.size(), round));
                // SAFETY: the block is live and has this layout.
                unsafe { allocator.dealloc(block, layout) };
            }
        }
    }
}

fn zeroed_blocks_are_zero_even_where_dirt_was<A: GlobalAlloc>(allocator: &A) {
    for size in [8, 48, 1000, 9000, 200_000] {
        let layout = Layout::from_size_align(size, 8).unwrap();
        for _ in 0..100 {
            // SAFETY: the size is not zero.
            let block = unsafe { allocator.alloc_zeroed(layout) };
            assert!(!block.is_null(), "{size} bytes");
            assert_filled(block, size, 0);
            // SAFETY: the block is live, of this many bytes and this layout.
            unsafe {
                block.write_bytes(0xaa, size);
                allocator.dealloc(block, layout);
            }
        }
    }
}

fn reallocated_blocks_keep_their_bytes<A: GlobalAlloc>(allocator: &A) {
    let mut layout = Layout::from_size_align(5, 1).unwrap();
    // SAFETY: the size is not zero.
    let mut block = unsafe { allocator.alloc(layout) };
    assert!(!block.is_null());
    // SAFETY: the block has this many bytes.
    unsafe { block.write_bytes(0x5a, layout.size()) };
    for size in [9, 100, 3000, 70_000, 900_000, 20_000, 64, 5] {
        // SAFETY: the block is live and has this layout; the size is not zero.
        block = unsafe { allocator.realloc(block, layout, size) };
        assert!(!block.is_null(), "{size} bytes");
        assert_filled(block, 5, 0x5a);
        layout = Layout::from_size_align(size, 1).unwrap();
    }
    // SAFETY: the block is live and has this layout.
    unsafe { allocator.dealloc(block, layout) };
}

fn alignments_are_kept<A: GlobalAlloc>(allocator: &A) {
    for shift in 0..16 {
        let layout = Layout::from_size_align(24, 1 << shift).unwrap();
        // SAFETY: the size is not zero.
        let block = unsafe { allocator.alloc(layout) };
        assert!(!block.is_null(), "alignment {}", layout.align());
        assert_eq!(
            block.addr() % layout.align(),
            0,
            "alignment {}",
            layout.align()
        );
        // SAFETY: the block is live, of this many bytes and this layout.
        unsafe {
            block.write_bytes(1, layout.size());
            allocator.dealloc(block, layout);
        }
    }
}

/// The byte that a block of this size is filled with.
fn mark(size: usize, round: usize) -> u8 {
    (size * 31 + round * 7 + 1) as u8
}

#[track_caller]
fn assert_filled(block: *const u8, bytes: usize, mark: u8) {
    // SAFETY: the block is live and has at least this many initialised bytes.
    let content = unsafe { std::slice::from_raw_parts(block, bytes) };
    assert!(
        content.iter().all(|&byte| byte == mark),
        "a block of {bytes} bytes was written to"
    );
}
