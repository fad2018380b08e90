use allocator_core::derive_allocator;

const RECORD: usize = 64 << 10;

#[derive_allocator(size_classes = [64KiB, 2 * RECORD])]
struct Wrong;

fn main() {}
