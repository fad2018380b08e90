use allocator_core::derive_allocator;

#[derive_allocator(purge)]
struct Wrong;

fn main() {}
