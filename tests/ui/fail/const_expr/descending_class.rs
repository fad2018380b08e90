use allocator_core::derive_allocator;

const RECORD: usize = 24;

#[derive_allocator(size_classes = [8, 16, RECORD - 8])]
struct Wrong;

fn main() {}
