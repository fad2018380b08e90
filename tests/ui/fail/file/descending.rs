use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/descending.classes"))]
struct Wrong;

fn main() {}
