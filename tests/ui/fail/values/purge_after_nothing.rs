use allocator_core::derive_allocator;

#[derive_allocator(purge = after(0ms))]
struct Wrong;

fn main() {}
