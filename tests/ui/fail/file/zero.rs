use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/zero.classes"))]
struct Wrong;

fn main() {}
