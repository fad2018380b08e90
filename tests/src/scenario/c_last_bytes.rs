//! The last bytes of a block of C's: they are its user's, though a type that records keeps a word there while they
//! are not asked for.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

use super::c_calls::is_filled;
use super::figures::mapped_bytes;

/// They stay what the user wrote, whatever they look like.
pub fn stay(_: &[String]) {
    let sizes = || {
        (32..=640)
            .step_by(16)
            .flat_map(|bytes| (bytes - 3..=bytes).map(move |size| (bytes, size)))
    };
    for (bytes, size) in sizes() {
        (0..=u8::MAX).for_each(|byte| behind_another(bytes, size, byte));
    }
    for (bytes, size) in sizes() {
        like_another(bytes, size);
        come_back(bytes - 8, bytes * 5, bytes);
        hides_itself(bytes);
    }
    // In place.
    come_back(40_000, 100_000, 64 << 10);
}

/// A block that shrinks to `size` where one of eight less than `bytes` was, and is resized by a little.
fn behind_another(bytes: usize, size: usize, byte: u8) {
    // SAFETY: each block is this function's own, used within its size, and freed once.
    unsafe {
        libc::free(black_box(libc::malloc(bytes - 8)));
        let long = libc::malloc(bytes + 400);
        long.cast::<u8>().write_bytes(byte, bytes + 400);
        let sizes = [size, bytes, size];
        let short = sizes
            .iter()
            .fold(long, |block, size| libc::realloc(block, *size));
        assert!(is_filled(short.cast(), size, byte), "{size} of {byte:#x}");
        assert!(
            libc::malloc_usable_size(short) >= size,
            "{size} of {byte:#x}"
        );
        libc::free(short);
    }
}

/// A block of `bytes` that looks as one of eight less, and is resized to `size`.
fn like_another(bytes: usize, size: usize) {
    // SAFETY: as above; a block of eight bytes less has these, because blocks are aligned to 16.
    unsafe {
        let model = black_box(libc::malloc(bytes - 8));
        let block = libc::malloc(bytes);
        block.copy_from_nonoverlapping(model, bytes);
        assert!(libc::malloc_usable_size(block) >= bytes, "{bytes} bytes");
        let resized = libc::realloc(libc::realloc(block, size), bytes).cast::<u8>();
        let all = |block: *mut u8| std::slice::from_raw_parts(block, size);
        assert_eq!(all(resized), all(model.cast()), "{size} bytes");
        libc::free(resized.cast());
        libc::free(model);
    }
}

/// A block that grows, of which no more is used, and is resized to where it may have been before.
fn come_back(first: usize, then: usize, last: usize) {
    // SAFETY: as above; what is new is not read.
    unsafe {
        let block = libc::malloc(first);
        block.write_bytes(7, first);
        let back = libc::realloc(libc::realloc(block, then), last);
        assert!(is_filled(back.cast(), first, 7));
        assert!(libc::malloc_usable_size(back) >= last, "{last} bytes");
        // What was copied with it makes no other block look full.
        let copy = black_box(libc::malloc(last));
        copy.copy_from_nonoverlapping(back, last);
        assert!(libc::malloc_usable_size(copy) >= last, "{last} bytes");
        libc::free(copy);
        libc::free(back);
    }
}

/// A block that ends with its own address, all bits turned, as a pointer that a collector must not see.
fn hides_itself(bytes: usize) {
    // SAFETY: as above.
    unsafe {
        let block = libc::malloc(bytes);
        let last = |block: *mut c_void| block.byte_add(bytes - 8).cast::<usize>();
        let hidden = !block.addr();
        last(block).write_unaligned(hidden);
        assert!(libc::malloc_usable_size(block) >= bytes);
        let same = libc::realloc(block, bytes);
        assert_eq!(last(same).read_unaligned(), hidden);
        libc::free(same);
    }
}

/// A block that is resized to what may be used of it stops to grow.
pub fn suffice(_: &[String]) {
    for size in 1..=2000 {
        // SAFETY: the block is this function's own, and freed once.
        unsafe {
            let mut block = libc::malloc(size);
            for _ in 0..100 {
                block = libc::realloc(block, libc::malloc_usable_size(block));
            }
            let usable = libc::malloc_usable_size(block);
            assert!(usable <= 2 * size + 64, "{size} bytes, then {usable}");
            libc::free(block);
        }
    }
}

/// A block is resized to as much as it has, or less, without memory.
pub fn need_no_memory(_: &[String]) {
    const SIZE: usize = 576;
    let limit = libc::rlimit {
        rlim_cur: (mapped_bytes() + (64 << 20)) as u64,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: each block is this function's own, used within its size, and freed once.
    unsafe {
        let mut block = libc::malloc(SIZE);
        block.write_bytes(1, SIZE);
        assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &raw const limit), 0);
        // A list of all that there is, by the first word of each.
        let mut all: *mut c_void = ptr::null_mut();
        for taken in [60_000, SIZE + 4, SIZE - 16] {
            while let Some(next) = ptr::NonNull::new(libc::malloc(taken)) {
                next.cast().write(all);
                all = next.as_ptr();
            }
        }
        let mut refused = 0;
        for size in (SIZE - 40..=SIZE).rev() {
            *libc::__errno_location() = libc::ENOTTY;
            let resized = libc::realloc(block, size);
            let is_served = !resized.is_null() && *libc::__errno_location() == libc::ENOTTY;
            refused += usize::from(!is_served);
            block = if resized.is_null() { block } else { resized };
        }
        while !all.is_null() {
            let next = all.cast::<*mut c_void>().read();
            libc::free(all);
            all = next;
        }
        assert_eq!(refused, 0);
        assert!(is_filled(block.cast(), SIZE - 40, 1));
        libc::free(block);
    }
}
