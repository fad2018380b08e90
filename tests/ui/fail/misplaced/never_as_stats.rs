use allocator_core::derive_allocator;

#[derive_allocator(stats = never)]
struct Wrong;

fn main() {}
