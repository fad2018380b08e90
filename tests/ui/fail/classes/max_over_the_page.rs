use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(max = 128KiB))]
struct Wrong;

fn main() {}
