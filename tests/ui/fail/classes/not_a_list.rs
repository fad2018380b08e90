use allocator_core::derive_allocator;

#[derive_allocator(size_classes = 64)]
struct Wrong;

fn main() {}
