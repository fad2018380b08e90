//! A program that brings its own `malloc`, and whose first thread ends by `pthread_exit`, which runs its destructors, while another
//! goes on; the last thread ends the process. It has C's `main`, because no frame of Rust may be on
//! the stack that is unwound.

#![no_main]

use std::ffi::{c_char, c_int, c_void};

use allocator_core::derive_allocator;
use allocator_tests::scenario::exits::start_one_that_outlives_the_first;

/// Of both faces.
#[derive_allocator(export = malloc)]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

unsafe extern "C-unwind" {
    /// As in `libc`, but known to unwind.
    fn pthread_exit(value: *mut c_void) -> !;
}

/// C's `main`.
// SAFETY: no other function has this name, and it is what the C library expects of it.
#[unsafe(no_mangle)]
extern "C-unwind" fn main(_: c_int, _: *const *const c_char) -> c_int {
    start_one_that_outlives_the_first();
    // SAFETY: nothing on this stack needs to be dropped.
    unsafe { pthread_exit(std::ptr::null_mut()) }
}
