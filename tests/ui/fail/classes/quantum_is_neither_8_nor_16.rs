use allocator_core::derive_allocator;

#[derive_allocator(size_classes = geometric(quantum = 32))]
struct Wrong;

fn main() {}
