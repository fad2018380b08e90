use allocator_core::derive_allocator;

#[derive_allocator(preset = balancd)]
struct Wrong;

fn main() {}
