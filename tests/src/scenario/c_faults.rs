//! Calls of C while calls of the OS fail: what is null says `ENOMEM`, what is there keeps its bytes, and
//! afterwards everything is served.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

use crate::random::Random;
#[cfg(target_arch = "x86_64")]
use crate::refused::{REFUSABLE, Refusable, install, made, refuse, stop_refusing};

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
    unsafe { errno.write_volatile(libc::ENOTTY) };
    let block = act();
    let expected = if block.is_null() {
        libc::ENOMEM
    } else {
        libc::ENOTTY
    };
    // Volatile: the compiler takes it that `malloc` writes to nothing that the program knows of.
    // SAFETY: as above.
    assert_eq!(unsafe { errno.read_volatile() }, expected);
    block.cast()
}

/// Whether a block can be had and grown; it keeps its first byte.
fn grows(size: usize, then: usize) -> bool {
    // SAFETY: null, or this function's block, freed once.
    unsafe {
        let block = block_or_enomem(|| libc::malloc(size));
        if block.is_null() {
            return false;
        }
        block.write(5);
        let grown = block_or_enomem(|| libc::realloc(block.cast(), then));
        let block = if grown.is_null() { block } else { grown };
        assert_eq!(block.read(), 5);
        libc::free(block.cast());
        !grown.is_null()
    }
}

/// Calls of C at random, and what is free given back; how many returned null.
///
/// # Panics
/// When a block is not as it was left, or null does not say why.
#[must_use]
pub fn load(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut places = [Place {
        block: ptr::null_mut(),
        size: 0,
    }; PLACES];
    // A mapping that is made, grown, and given back: whatever the random part does.
    let mut refused = usize::from(!grows(17 << 20, 18 << 20));
    for _ in 0..200 {
        let place = &mut places[random.below(PLACES)];
        let size = 1 + match random.below(20) {
            0 => random.below(20 << 20),
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
    // SAFETY: always allowed.
    unsafe { libc::malloc_trim(0) };
    refused
}

/// Each of the first 200 mappings fails, alone or with more than can be made up for; then the heap serves, at once.
#[cfg(target_arch = "x86_64")]
pub fn maps_fail(_: &[String]) {
    install();
    // A block of no bytes, which has a region of its own where there are guards, and the first is refused it.
    refuse(Refusable::Map, 0, u64::MAX);
    let none = block_or_enomem(|| {
        // SAFETY: always allowed.
        let none = unsafe { libc::malloc(0) };
        stop_refusing();
        none
    });
    // SAFETY: null or a block, freed once.
    unsafe { libc::free(none.cast()) };
    assert_eq!(load(1), 0);
    let mut random = Random::new(2);
    let mut refused = 0;
    for k in 0..200 {
        // One failure may be made up for; as many as there are sizes of chunk, twice over, may not.
        let failures = if k % 2 == 0 { 12 } else { 1 };
        let end = made(Refusable::Map) + k + failures;
        refuse(Refusable::Map, k, failures);
        // Linked through their first words, and otherwise not touched: there are many.
        let mut last = ptr::null_mut::<u8>();
        while made(Refusable::Map) < end {
            let size = (9 + random.below(20)) << 20;
            // SAFETY: null, or at least a word long and this function's own.
            unsafe {
                let block = block_or_enomem(|| libc::malloc(size));
                if block.is_null() {
                    refused += 1;
                } else {
                    block.cast::<*mut u8>().write(last);
                    last = block;
                }
                // Pages too, which may need a chunk.
                libc::free(block_or_enomem(|| libc::malloc(random.below(100_000))).cast());
            }
        }
        stop_refusing();
        while !last.is_null() {
            // SAFETY: written above; each is freed once.
            unsafe {
                let before = last.cast::<*mut u8>().read();
                libc::free(last.cast());
                last = before;
            }
        }
        // SAFETY: null or a block, freed at once.
        let again = unsafe { black_box(libc::malloc(20 << 20)) };
        assert!(!again.is_null(), "{k}: there is memory again");
        // SAFETY: as above.
        unsafe { libc::free(again) };
    }
    assert!(refused >= 100, "{refused} allocations were refused");
    assert_eq!(load(3), 0, "everything is served afterwards");
}

/// Every other call fails at its n-th time, and always: everything is served all the same.
#[cfg(target_arch = "x86_64")]
pub fn other_calls_fail(_: &[String]) {
    install();
    for (call, _, _) in REFUSABLE.into_iter().skip(1) {
        for n in 0..10 {
            refuse(call, n, 1);
            assert_eq!(load(n), 0, "{call:?} {n}");
        }
        let before = made(call);
        refuse(call, 0, u64::MAX);
        if call == Refusable::Advise {
            // Which else gives back what would be given back by single calls.
            refuse(Refusable::AdviseSeveral, 0, u64::MAX);
        }
        for seed in 0..3 {
            assert_eq!(load(seed), 0, "{call:?}");
        }
        stop_refusing();
        let refused = made(call) - before;
        println!("{call:?}: {refused} refused");
        let is_needed = matches!(
            call,
            Refusable::Unmap | Refusable::Remap | Refusable::Advise
        );
        assert!(refused > 0 || !is_needed, "{call:?} was made, and failed");
        assert_eq!(load(7), 0, "{call:?}");
    }
}
