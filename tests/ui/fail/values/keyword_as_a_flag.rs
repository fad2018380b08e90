use allocator_core::derive_allocator;

#[derive_allocator(hardening(zero = move))]
struct Wrong;

fn main() {}
