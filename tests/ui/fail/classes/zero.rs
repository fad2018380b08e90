use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [0, 8, 16])]
struct Wrong;

fn main() {}
