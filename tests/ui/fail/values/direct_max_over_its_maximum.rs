use allocator_core::derive_allocator;

#[derive_allocator(fast_path(direct_max = 128KiB))]
struct Wrong;

fn main() {}
