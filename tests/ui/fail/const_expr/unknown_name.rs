use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [8, RECORD])]
struct Wrong;

fn main() {}
