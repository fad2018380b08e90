use allocator_core::derive_allocator;

#[derive_allocator(limit = 1.5GiB)]
struct Wrong;

fn main() {}
