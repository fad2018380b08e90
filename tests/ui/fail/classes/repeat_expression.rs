use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [16; 4])]
struct Wrong;

fn main() {}
