use allocator_core::derive_allocator;

#[derive_allocator(fast_path(64))]
struct Wrong;

fn main() {}
