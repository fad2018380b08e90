use allocator_core::derive_allocator;

#[derive_allocator(hardening)]
struct Wrong;

fn main() {}
