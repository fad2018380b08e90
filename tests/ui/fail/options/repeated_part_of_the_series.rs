use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(max = 8KiB, max = 32KiB))]
struct Wrong;

fn main() {}
