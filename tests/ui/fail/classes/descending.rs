use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [8, 16, 32, 24, 48])]
struct Wrong;

fn main() {}
