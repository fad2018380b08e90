use allocator_core::derive_allocator;

#[derive_allocator(small_extend = batch)]
struct Wrong;

fn main() {}
