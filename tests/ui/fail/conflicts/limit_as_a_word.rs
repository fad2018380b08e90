use allocator_core::derive_allocator;

#[derive_allocator(limit = never)]
struct Wrong;

fn main() {}
