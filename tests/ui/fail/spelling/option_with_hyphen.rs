use allocator_core::derive_allocator;

#[derive_allocator(size-classes = [8, 16])]
struct Wrong;

fn main() {}
