use allocator_core::derive_allocator;

#[derive_allocator(page = 4KiB)]
struct Wrong;

fn main() {}
