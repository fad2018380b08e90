use allocator_core::derive_allocator;

#[derive_allocator(fast_path(cache = off, cache = 64))]
struct Wrong;

fn main() {}
