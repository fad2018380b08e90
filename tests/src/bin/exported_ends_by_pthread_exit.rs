//! As `ends_by_pthread_exit`, with its own `malloc`.

#![no_main]

use allocator_core::derive_allocator;

/// Of both faces.
#[derive_allocator(export = malloc)]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

allocator_tests::ends_by_pthread_exit!();
