use allocator_core::derive_allocator;

#[derive_allocator(fastPath(cache = 8))]
struct Wrong;

fn main() {}
