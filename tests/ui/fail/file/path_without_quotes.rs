use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file(app.classes))]
struct Wrong;

fn main() {}
