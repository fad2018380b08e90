use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(min = 16))]
struct Wrong;

fn main() {}
