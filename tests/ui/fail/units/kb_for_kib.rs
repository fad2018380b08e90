use allocator_core::derive_allocator;

#[derive_allocator(limit = 512MB)]
struct Wrong;

fn main() {}
