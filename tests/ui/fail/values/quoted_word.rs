use allocator_core::derive_allocator;

#[derive_allocator(preset = "stock")]
struct Wrong;

fn main() {}
