use allocator_core::derive_allocator;

#[derive_allocator(hardening(zero))]
struct Wrong;

fn main() {}
