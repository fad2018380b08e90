use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file(""))]
struct Wrong;

fn main() {}
