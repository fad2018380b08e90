use allocator_core::derive_allocator;

const RECORD: i32 = -8;

#[derive_allocator(size_classes = [RECORD, 16])]
struct Wrong;

fn main() {}
