use allocator_core::derive_allocator;

#[derive_allocator(fast_path(colour = red))]
struct Wrong;

fn main() {}
