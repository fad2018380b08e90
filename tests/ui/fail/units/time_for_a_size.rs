use allocator_core::derive_allocator;

#[derive_allocator(limit = 10ms)]
struct Wrong;

fn main() {}
