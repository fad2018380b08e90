use allocator_core::derive_allocator;

#[derive_allocator(limit)]
struct Wrong;

fn main() {}
