use allocator_core::derive_allocator;

#[derive_allocator(hardening = guarded)]
struct Wrong;

fn main() {}
