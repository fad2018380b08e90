#![forbid(unsafe_code)]

use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong;

fn main() {}
