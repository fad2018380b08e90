use allocator_core::derive_allocator;

#[derive_allocator(hardening(sample = 0))]
struct Wrong;

fn main() {}
