use allocator_core::derive_allocator;

#[derive_allocator(64KiB)]
struct Wrong;

fn main() {}
