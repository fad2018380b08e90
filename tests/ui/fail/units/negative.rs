use allocator_core::derive_allocator;

#[derive_allocator(limit = -1)]
struct Wrong;

fn main() {}
