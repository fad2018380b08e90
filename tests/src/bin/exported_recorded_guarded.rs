//! A program that brings its own `malloc`, which records and guards: what is freed was counted as allocated, of
//! blocks of no bytes, too. With arguments it writes behind a block.

use std::ffi::c_void;
use std::hint::black_box;

use allocator_core::{Profile, ProfileRow, derive_allocator};

/// Of C alone.
#[derive_allocator(export = malloc, hardening = guarded, stats = histogram)]
struct Malloc;

/// How many blocks are live of what a row counts.
fn live(profile: &Profile, counted: &ProfileRow) -> u64 {
    let mut rows = profile.rows().iter();
    let row = rows.find(|row| (row.align, row.size) == (counted.align, counted.size));
    row.map_or(0, |row| row.live)
}

/// Allocates, fills, resizes and frees blocks of each alignment.
fn allocate_and_free(size: usize) {
    let allocate: [&dyn Fn() -> *mut c_void; 5] = [
        // SAFETY: any size and any power of two will do.
        &|| unsafe { libc::malloc(size) },
        // SAFETY: as above.
        &|| unsafe { libc::calloc(1, size) },
        // SAFETY: as above.
        &|| unsafe { libc::memalign(16, size) },
        // SAFETY: as above.
        &|| unsafe { libc::memalign(64, size) },
        // SAFETY: as above.
        &|| unsafe { libc::aligned_alloc(4096, size) },
    ];
    for allocate in allocate {
        let blocks = [0; 4].map(|_| black_box(allocate()));
        for (block, resized) in blocks
            .into_iter()
            .zip([None, Some(1), Some(size + 9), Some(5000)])
        {
            // SAFETY: each block is used as large as it is, and freed once.
            unsafe {
                block.write_bytes(0xff, libc::malloc_usable_size(block));
                let block = resized.map_or(block, |size| libc::realloc(block, size));
                libc::free(block);
            }
        }
    }
}

/// Writes one byte too many into a block and gives it back, to `free` or to be resized.
fn overflow(size: usize, give_back: impl Fn(*mut c_void)) {
    // SAFETY: the block is the caller's; a byte behind it is written, which is what is to be found.
    unsafe {
        let block = black_box(libc::malloc(size));
        println!("is about {block:?}");
        block.cast::<u8>().add(size).write_volatile(1);
        give_back(block);
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, act, size] = &arguments[..] {
        let size = size.parse().expect("a size");
        let grow = |block| {
            // SAFETY: the block is live.
            black_box(unsafe { libc::realloc(block, 2 * size) });
        };
        // SAFETY: the block is live.
        let free = |block| unsafe { libc::free(block) };
        match act.as_str() {
            "overflow_and_free" => overflow(size, free),
            "overflow_and_grow" => overflow(size, grow),
            _ => panic!("no such act: {act}"),
        }
        return;
    }
    // Profiles have memory of their own: nothing else is allocated between them.
    let before = Malloc::profile();
    (0..300).for_each(allocate_and_free);
    // More blocks of no bytes than there are addresses for.
    // SAFETY: each is freed once.
    unsafe {
        let blocks: Vec<_> = (0..70_000).map(|_| libc::malloc(0)).collect();
        blocks.into_iter().for_each(|block| libc::free(block));
    }
    let after = Malloc::profile();
    for row in after.rows() {
        assert_eq!(row.live, live(&before, row), "{row:?}");
    }
    let is_counted = |size, align| {
        let mut rows = after.rows().iter();
        rows.any(|row| (row.size, row.align) == (size, align) && row.allocations > 0)
    };
    assert!(is_counted(64, 8) && is_counted(64, 64) && is_counted(64, 4096));
}
