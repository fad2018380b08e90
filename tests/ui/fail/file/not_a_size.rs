use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/not_a_size.classes"))]
struct Wrong;

fn main() {}
