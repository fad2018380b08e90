use allocator_core::derive_allocator;

const CLASSES: [usize; 2] = [8, 16];

#[derive_allocator(size_classes = CLASSES)]
struct Wrong;

fn main() {}
