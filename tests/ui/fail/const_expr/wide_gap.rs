use allocator_core::derive_allocator;

const RECORD: usize = 208;

#[derive_allocator(size_classes = [8, 16, RECORD])]
struct Wrong;

fn main() {}
