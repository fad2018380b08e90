use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [])]
struct Wrong;

fn main() {}
