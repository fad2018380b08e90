use allocator_core::derive_allocator;

#[derive_allocator(small_extend = batch(8))]
struct Wrong;

fn main() {}
