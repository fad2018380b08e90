use allocator_core::derive_allocator;

#[derive_allocator(fast_path(local_first, local_first = off))]
struct Wrong;

fn main() {}
