//! A program whose first thread ends by `pthread_exit`, which runs its destructors, while another
//! goes on; the last thread ends the process.

#![no_main]

use allocator_core::derive_allocator;

/// As it comes.
#[derive_allocator]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

allocator_tests::ends_by_pthread_exit!();
