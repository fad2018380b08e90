use allocator_core::derive_allocator;

#[derive_allocator(purge = after(-))]
struct Wrong;

fn main() {}
