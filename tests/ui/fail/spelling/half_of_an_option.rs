use allocator_core::derive_allocator;

#[derive_allocator(classes = [8, 16])]
struct Wrong;

fn main() {}
