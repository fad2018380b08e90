use allocator_core::derive_allocator;

#[derive_allocator(limit = 64KiB)]
struct Wrong;

fn main() {}
