use allocator_core::derive_allocator;

#[derive_allocator(fast_path(cache = half_remaining))]
struct Wrong;

fn main() {}
