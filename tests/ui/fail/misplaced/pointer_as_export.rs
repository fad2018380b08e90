use allocator_core::derive_allocator;

#[derive_allocator(export = pointer)]
struct Wrong;

fn main() {}
