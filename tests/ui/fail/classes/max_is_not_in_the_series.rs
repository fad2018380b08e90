use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(quantum = 8, per_doubling = 4, max = 33KiB))]
struct Wrong;

fn main() {}
