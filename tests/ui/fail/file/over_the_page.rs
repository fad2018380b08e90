use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/over_the_page.classes"))]
struct Wrong;

fn main() {}
