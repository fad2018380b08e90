use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles(huge = 16))]
struct Wrong;

fn main() {}
