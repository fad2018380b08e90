//! A program whose first thread ends by `pthread_exit`, which runs its destructors, while another
//! goes on; the last thread ends the process. It has C's `main`, because no frame of Rust may be on
//! the stack that is unwound.

#![no_main]

use std::ffi::{c_char, c_int, c_void};
use std::thread;

use allocator_core::derive_allocator;
use allocator_tests::random::Random;
use allocator_tests::scenario::exits;
use allocator_tests::scenario::live::{Live, some_blocks};

/// As it comes.
#[derive_allocator]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

unsafe extern "C-unwind" {
    /// As in `libc`, but known to unwind.
    fn pthread_exit(value: *mut c_void) -> !;
}

fn start_the_other_thread() {
    exits::register_at_exit();
    let mine = some_blocks(&mut Random::new(3), 200_000, 32 << 10);
    // SAFETY: pthread_self has no preconditions.
    let first = unsafe { libc::pthread_self() };
    thread::spawn(move || {
        // SAFETY: the first thread is joinable, and nobody else joins it.
        let failed = unsafe { libc::pthread_join(first, std::ptr::null_mut()) };
        assert_eq!(failed, 0);
        mine.into_iter().for_each(Live::free);
        let blocks = some_blocks(&mut Random::new(4), 200_000, 32 << 10);
        blocks.into_iter().for_each(Live::free);
    });
}

/// C's `main`.
// SAFETY: no other function has this name, and it is what the C library expects of it.
#[unsafe(no_mangle)]
extern "C-unwind" fn main(_: c_int, _: *const *const c_char) -> c_int {
    start_the_other_thread();
    // SAFETY: nothing on this stack needs to be dropped.
    unsafe { pthread_exit(std::ptr::null_mut()) }
}
