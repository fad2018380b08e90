use allocator_core::derive_allocator;

#[derive_allocator(purge = after(4KiB))]
struct Wrong;

fn main() {}
