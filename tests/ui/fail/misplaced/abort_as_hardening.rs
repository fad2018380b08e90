use allocator_core::derive_allocator;

#[derive_allocator(hardening = abort)]
struct Wrong;

fn main() {}
