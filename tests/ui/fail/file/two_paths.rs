use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("a", "b"))]
struct Wrong;

fn main() {}
