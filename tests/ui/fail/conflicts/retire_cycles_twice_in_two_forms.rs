use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles = 48, retire_cycles(small = 16))]
struct Wrong;

fn main() {}
