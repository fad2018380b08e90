use allocator_core::derive_allocator;

#[derive_allocator(crate = "allocator_core")]
struct Wrong;

fn main() {}
