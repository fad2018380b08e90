use allocator_core::derive_allocator;

#[derive_allocator(fast_path(page = 64KiB))]
struct Wrong;

fn main() {}
