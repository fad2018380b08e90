use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [8, 16, 16, 32])]
struct Wrong;

fn main() {}
