use allocator_core::derive_allocator;

#[derive_allocator(fast_path(cache = 2048))]
struct Wrong;

fn main() {}
