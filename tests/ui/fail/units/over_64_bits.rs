use allocator_core::derive_allocator;

#[derive_allocator(limit = 99999999999GiB)]
struct Wrong;

fn main() {}
