use allocator_core::derive_allocator;

#[derive_allocator(retire_cycle = 48)]
struct Wrong;

fn main() {}
