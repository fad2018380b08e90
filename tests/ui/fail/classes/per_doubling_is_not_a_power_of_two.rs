use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(per_doubling = 3))]
struct Wrong;

fn main() {}
