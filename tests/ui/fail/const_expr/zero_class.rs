use allocator_core::derive_allocator;

const RECORD: usize = 0;

#[derive_allocator(size_classes = [RECORD, 8])]
struct Wrong;

fn main() {}
