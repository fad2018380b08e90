use allocator_core::derive_allocator;

#[derive_allocator(page = 1MiB)]
struct Wrong;

fn main() {}
