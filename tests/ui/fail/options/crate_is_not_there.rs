use allocator_core::derive_allocator;

#[derive_allocator(crate = ::nowhere)]
struct Wrong;

fn main() {}
