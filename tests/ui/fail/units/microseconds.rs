use allocator_core::derive_allocator;

#[derive_allocator(purge = after(10us))]
struct Wrong;

fn main() {}
