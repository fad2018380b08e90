use allocator_core::derive_allocator;

#[derive_allocator(purge = 10ms)]
struct Wrong;

fn main() {}
