//! Ways in which a process ends while threads are at work.

use std::sync::Barrier;
use std::thread;

use super::live::{Live, some_blocks};
use crate::random::Random;

static STARTED: Barrier = Barrier::new(5);

/// Four threads that allocate and free for ever.
fn start_busy_threads() {
    for seed in 0..4 {
        thread::spawn(move || {
            let mut random = Random::new(seed);
            STARTED.wait();
            loop {
                let blocks = some_blocks(&mut random, 100_000, 32 << 10);
                blocks.into_iter().for_each(Live::free);
            }
        });
    }
    STARTED.wait();
}

extern "C" fn allocate_at_exit() {
    let mut random = Random::new(1);
    for _ in 0..10 {
        let blocks = some_blocks(&mut random, 100_000, 32 << 10);
        blocks.into_iter().for_each(Live::free);
    }
    println!("allocated at exit");
}

/// Has `exit` call a function that allocates and frees.
fn register_at_exit() {
    // SAFETY: the function lives as long as the process.
    let result = unsafe { libc::atexit(allocate_at_exit) };
    assert_eq!(result, 0);
}

/// Has a thread wait for the end of the calling one, the process's first, and then go on with blocks of that one's
/// and its own.
pub fn start_one_that_outlives_the_first() {
    register_at_exit();
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

/// `main` returns while threads allocate.
pub fn exit_with_threads(_: &[String]) {
    start_busy_threads();
}

/// `exit` is called while threads allocate, and calls a function that does so, too.
pub fn atexit_allocates(_: &[String]) {
    register_at_exit();
    start_busy_threads();
    std::process::exit(0);
}

/// C's `main` of a program whose first thread ends by `pthread_exit`. No frame of Rust may be on the
/// stack that is unwound, so it is no function of this library.
#[macro_export]
macro_rules! ends_by_pthread_exit {
    () => {
        unsafe extern "C-unwind" {
            /// As in `libc`, but known to unwind.
            fn pthread_exit(value: *mut ::std::ffi::c_void) -> !;
        }

        /// C's `main`.
        // SAFETY: no other function has this name, and it is what the C library expects of it.
        #[unsafe(no_mangle)]
        extern "C-unwind" fn main(
            _: ::std::ffi::c_int,
            _: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            $crate::scenario::exits::start_one_that_outlives_the_first();
            // SAFETY: nothing on this stack needs to be dropped.
            unsafe { pthread_exit(::std::ptr::null_mut()) }
        }
    };
}
