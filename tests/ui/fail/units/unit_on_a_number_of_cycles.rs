use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles = 48ms)]
struct Wrong;

fn main() {}
