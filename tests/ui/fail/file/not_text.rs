use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/not_text.classes"))]
struct Wrong;

fn main() {}
