use allocator_core::derive_allocator;

#[derive_allocator(half_remaining)]
struct Wrong;

fn main() {}
