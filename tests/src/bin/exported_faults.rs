//! A program that brings its own `malloc`, in which calls of the OS fail: what is null says `ENOMEM`,
//! what is there keeps its bytes, and afterwards everything is served.

use std::ffi::c_void;
use std::ptr;

use allocator_core::derive_allocator;
use allocator_core::os::{Call, fault};
use allocator_tests::injected::CALLS;
use allocator_tests::random::Random;

/// Of C alone.
#[derive_allocator(export = malloc, purge = now)]
struct Malloc;

/// Blocks at a time. Not in a `Vec`: Rust's library allocates by `malloc`, too.
const PLACES: usize = 60;

/// A block and its size; all its bytes are the size's last, and some are looked at.
#[derive(Clone, Copy)]
struct Place {
    block: *mut u8,
    size: usize,
}

/// What `act` returns; null says why.
fn block_or_enomem(act: impl FnOnce() -> *mut c_void) -> *mut u8 {
    // SAFETY: the thread's own variable.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { errno.write(libc::ENOTTY) };
    let block = act();
    let expected = if block.is_null() {
        libc::ENOMEM
    } else {
        libc::ENOTTY
    };
    // SAFETY: as above.
    assert_eq!(unsafe { errno.read() }, expected);
    block.cast()
}

/// Calls of C at random; how many returned null.
fn load(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut places = [Place {
        block: ptr::null_mut(),
        size: 0,
    }; PLACES];
    let mut refused = 0;
    for _ in 0..200 {
        let place = &mut places[random.below(PLACES)];
        let size = 1 + match random.below(20) {
            0 => random.below(12 << 20),
            1..4 => random.below(1 << 20),
            _ => random.below(30_000),
        };
        let held = !place.block.is_null();
        // SAFETY: the block is this place's, and replaced only by what takes its bytes over.
        unsafe {
            let bytes =
                std::slice::from_raw_parts(place.block.max(ptr::dangling_mut()), place.size);
            assert!(
                bytes
                    .iter()
                    .step_by(509)
                    .all(|byte| *byte == place.size as u8)
            );
            let block = match random.below(4) {
                0 if held => {
                    libc::free(place.block.cast());
                    (place.block, place.size) = (ptr::null_mut(), 0);
                    continue;
                }
                _ if held => block_or_enomem(|| libc::realloc(place.block.cast(), size)),
                1 => block_or_enomem(|| libc::calloc(1, size)),
                2 => block_or_enomem(|| libc::memalign(1 << random.below(17), size)),
                _ => block_or_enomem(|| libc::malloc(size)),
            };
            if block.is_null() {
                refused += 1;
            } else {
                block.write_bytes(size as u8, size);
                *place = Place { block, size };
            }
        }
    }
    for place in places {
        // SAFETY: the blocks are this function's; null is free to free.
        unsafe { libc::free(place.block.cast()) };
    }
    refused
}

fn main() {
    for (seed, call) in (0..).zip(CALLS) {
        for k in 0..20 {
            fault::fail(call, k, 1);
            load(seed);
            fault::reset();
        }
        fault::fail(call, 0, u64::MAX);
        let refused = load(seed);
        fault::reset();
        assert!(call != Call::Map || refused > 0, "nothing was refused");
    }
    assert_eq!(load(7), 0, "everything is served afterwards");
}
