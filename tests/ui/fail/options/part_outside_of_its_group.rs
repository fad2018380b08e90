use allocator_core::derive_allocator;

#[derive_allocator(cache = 64)]
struct Wrong;

fn main() {}
