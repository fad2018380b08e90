use allocator_core::derive_allocator;

const RECORD: u64 = 1 << 32;

#[derive_allocator(size_classes = [64KiB, RECORD])]
struct Wrong;

fn main() {}
