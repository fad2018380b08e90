use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles = half_remaining)]
struct Wrong;

fn main() {}
