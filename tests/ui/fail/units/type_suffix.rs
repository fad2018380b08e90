use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [8usize, 16])]
struct Wrong;

fn main() {}
