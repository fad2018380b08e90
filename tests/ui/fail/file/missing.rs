use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/no_such.classes"))]
struct Wrong;

fn main() {}
