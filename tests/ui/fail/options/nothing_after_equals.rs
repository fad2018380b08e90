use allocator_core::derive_allocator;

#[derive_allocator(page = )]
struct Wrong;

fn main() {}
