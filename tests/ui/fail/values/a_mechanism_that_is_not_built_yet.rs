use allocator_core::derive_allocator;

#[derive_allocator(hardening(canaries))]
struct Wrong;

fn main() {}
