use allocator_core::derive_allocator;

#[derive_allocator(limit = off)]
struct Wrong;

fn main() {}
