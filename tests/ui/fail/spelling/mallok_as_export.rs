use allocator_core::derive_allocator;

#[derive_allocator(export = mallok)]
struct Wrong;

fn main() {}
