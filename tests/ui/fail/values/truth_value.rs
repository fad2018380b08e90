use allocator_core::derive_allocator;

#[derive_allocator(stats = true)]
struct Wrong;

fn main() {}
