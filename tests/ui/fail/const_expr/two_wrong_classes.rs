use allocator_core::derive_allocator;

const RECORD: usize = 16;

#[derive_allocator(size_classes = [8, RECORD + 1, RECORD + 2])]
struct Wrong;

fn main() {}
