use allocator_core::derive_allocator;

#[derive_allocator(fast_path(half_remaining))]
struct Wrong;

fn main() {}
