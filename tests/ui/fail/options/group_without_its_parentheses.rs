use allocator_core::derive_allocator;

#[derive_allocator(fast_path)]
struct Wrong;

fn main() {}
