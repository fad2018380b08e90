use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles(48))]
struct Wrong;

fn main() {}
