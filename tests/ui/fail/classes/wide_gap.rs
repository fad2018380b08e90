use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [16, 24, 208])]
struct Wrong;

fn main() {}
