use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles = 65536)]
struct Wrong;

fn main() {}
