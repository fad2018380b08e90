use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric)]
struct Wrong;

fn main() {}
