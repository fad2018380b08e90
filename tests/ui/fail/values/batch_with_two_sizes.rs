use allocator_core::derive_allocator;

#[derive_allocator(small_extend = batch(4KiB, 8KiB))]
struct Wrong;

fn main() {}
