use allocator_core::derive_allocator;

#[derive_allocator(page = 64KiB, small_extend = batch(128KiB))]
struct Wrong;

fn main() {}
