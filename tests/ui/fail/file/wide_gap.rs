use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/wide_gap.classes"))]
struct Wrong;

fn main() {}
