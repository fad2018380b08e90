use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(quantum = 16, max = 8))]
struct Wrong;

fn main() {}
