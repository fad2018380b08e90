//! A program that brings its own `malloc`, which records: what C asks for is counted as asked for and is gone
//! when it is freed, whatever the program wrote into its blocks.

use std::ffi::c_void;
use std::hint::black_box;

use allocator_core::{Profile, derive_allocator};
use allocator_tests::forked;
use allocator_tests::random::Random;

/// Of C alone.
#[derive_allocator(export = malloc, stats = histogram)]
struct Malloc;

/// Largest size that is asked for one by one.
const MOST: usize = 3000;

/// How often a size was asked for, in steps of 8; aligned to 64 from `ALIGNED` on.
type Asked = [u64; 2 * ALIGNED];
const ALIGNED: usize = MOST / 8 + 1;

/// What a program does with a block.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Nothing,
    /// Writes all that it asked for.
    Asked,
    /// Writes all that it may.
    Usable,
}

/// # Safety
/// - `block` is the caller's and has `size` bytes.
unsafe fn used(block: *mut c_void, size: usize, how: Use) {
    assert!(!block.is_null());
    // SAFETY: the caller's promise.
    let usable = unsafe { libc::malloc_usable_size(block) };
    assert!(usable >= size);
    let bytes = match how {
        Use::Nothing => 0,
        Use::Asked => size,
        Use::Usable => usable,
    };
    // SAFETY: that many are there.
    unsafe { block.write_bytes(0xff, bytes) };
    black_box(block);
}

fn allocate_and_free(asked: &mut Asked) {
    for how in [Use::Nothing, Use::Asked, Use::Usable] {
        for size in 0..=MOST {
            // SAFETY: each block is used as large as it is, and freed once.
            unsafe {
                let block = libc::malloc(size);
                used(block, size, how);
                libc::free(block);
                let zeroed = libc::calloc(1, size).cast::<u8>();
                assert!((0..size).all(|at| zeroed.add(at).read() == 0));
                used(zeroed.cast(), size, how);
                libc::free(zeroed.cast());
                asked[size.div_ceil(8)] += 2;
            }
            // Its steps are of 8 bytes up to 1 KiB.
            if size <= 1000 {
                // SAFETY: as above.
                unsafe {
                    let aligned = libc::memalign(64, size);
                    used(aligned, size, how);
                    libc::free(aligned);
                }
                asked[ALIGNED + size.div_ceil(8)] += 1;
            }
        }
    }
}

/// Blocks whose content is all that there is of another, what that one says of itself included.
fn copy_others(asked: &mut Asked) {
    for size in (8..MOST - 8).step_by(16) {
        // SAFETY: each block is used as large as it is, and freed once; blocks are as long as they are aligned,
        // so there are eight bytes more.
        unsafe {
            let model = black_box(libc::malloc(size));
            let copy = black_box(libc::malloc(size + 8));
            copy.copy_from_nonoverlapping(model, size + 8);
            assert!(libc::malloc_usable_size(copy) >= size + 8);
            libc::free(copy);
            libc::free(model);
        }
        asked[size / 8] += 1;
        asked[size / 8 + 1] += 1;
    }
}

/// Blocks that grow, are not filled, and are resized to where they were before.
fn come_back(asked: &mut Asked) {
    for size in (8..600).step_by(16) {
        // SAFETY: each block is used as large as it is, and freed once.
        unsafe {
            let block = libc::malloc(size);
            let back = libc::realloc(libc::realloc(block, size * 4), size + 8);
            libc::free(black_box(back));
        }
        asked[size / 8] += 1;
        asked[size / 2] += 1;
        asked[size / 8 + 1] += 1;
    }
}

fn resize(asked: &mut Asked, random: &mut Random) {
    for _ in 0..20_000 {
        let (from, to) = (1 + random.below(MOST), 1 + random.below(MOST));
        // A size that is near.
        let to = if random.below(2) > 0 {
            to
        } else {
            from + random.below(9)
        }
        .min(MOST);
        // SAFETY: as above.
        unsafe {
            let block = libc::malloc(from);
            used(block, from, Use::Asked);
            let resized = libc::realloc(block, to).cast::<u8>();
            assert!((0..from.min(to)).all(|at| resized.add(at).read() == 0xff));
            if random.below(2) > 0 {
                used(resized.cast(), to, Use::Asked);
            }
            libc::free(resized.cast());
        }
        asked[from.div_ceil(8)] += 1;
        asked[to.div_ceil(8)] += 1;
    }
}

/// A child begins a record of its own at its first act, which may be to resize what it inherited. The
/// calls of the OS for that leave no error behind.
fn begin_by_a_resize() {
    // SAFETY: one thread; C strings; the block is used as large as it is.
    unsafe {
        libc::setenv(
            c"ALLOCATOR_PROFILE".as_ptr(),
            c"/no/such/folder".as_ptr(),
            1,
        );
        let block = libc::malloc(100);
        let child = forked::fork(|| {
            *libc::__errno_location() = 0;
            let resized = libc::realloc(block, 5000);
            let error = *libc::__errno_location();
            assert!(!resized.is_null() && error == 0, "error {error}");
        });
        child.succeeds();
        libc::free(block);
    }
}

/// Allocations and live blocks by what was asked for.
fn figures(profile: &Profile, index: usize) -> [u64; 2] {
    let (align, step) = match index.checked_sub(ALIGNED) {
        Some(step) => (64, step),
        None => (8, index),
    };
    let mut rows = profile.rows().iter();
    let row = rows.find(|row| row.align == align && row.size == step as u64 * 8);
    row.map_or([0; 2], |row| [row.allocations, row.live])
}

fn main() {
    let mut asked = [0; 2 * ALIGNED];
    let mut random = Random::new(1);
    // Nothing else allocates in between.
    let before = Malloc::profile();
    allocate_and_free(&mut asked);
    copy_others(&mut asked);
    come_back(&mut asked);
    resize(&mut asked, &mut random);
    let after = Malloc::profile();
    for (index, asked) in asked.into_iter().enumerate() {
        let [allocations, live] = figures(&before, index);
        let expected = [allocations + asked, live];
        assert_eq!(figures(&after, index), expected, "at {index}");
    }
    begin_by_a_resize();
}
