use allocator_core::derive_allocator;

#[derive_allocator(canaries)]
struct Wrong;

fn main() {}
