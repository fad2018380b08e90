use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/empty.classes"))]
struct Wrong;

fn main() {}
