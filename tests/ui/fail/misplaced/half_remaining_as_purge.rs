use allocator_core::derive_allocator;

#[derive_allocator(purge = half_remaining)]
struct Wrong;

fn main() {}
