use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [16, 40, 88])]
struct Wrong;

fn main() {}
