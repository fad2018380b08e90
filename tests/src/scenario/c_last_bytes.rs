//! The last bytes of a block of C's: they are its user's, though a type that records keeps a word there.

use std::hint::black_box;

use super::c_calls::is_filled;

/// The last bytes of a block stay what its user wrote, whatever they look like: a type that records keeps a word
/// there while they are not asked for.
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
    }
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
        let resized = libc::realloc(libc::realloc(block, size), bytes).cast::<u8>();
        let all = |block: *mut u8| std::slice::from_raw_parts(block, size);
        assert_eq!(all(resized), all(model.cast()), "{size} bytes");
        libc::free(resized.cast());
        libc::free(model);
    }
}
