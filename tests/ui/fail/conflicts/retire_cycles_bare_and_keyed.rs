use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles(48, small = 16))]
struct Wrong;

fn main() {}
