use allocator_core::derive_allocator;

#[derive_allocator(preset = dragon)]
struct Wrong;

fn main() {}
