use allocator_core::derive_allocator;

#[derive_allocator(page = 64KiB purge = never)]
struct Wrong;

fn main() {}
