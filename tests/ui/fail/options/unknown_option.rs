use allocator_core::derive_allocator;

#[derive_allocator(colour = red)]
struct Wrong;

fn main() {}
