//! A program, this one, whose global allocator is a declared type as it comes.

use allocator_core::derive_allocator;
use allocator_tests::ordinary_work;

/// As it comes.
#[derive_allocator]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

ordinary_work!(Global);
