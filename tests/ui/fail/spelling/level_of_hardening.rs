use allocator_core::derive_allocator;

#[derive_allocator(hardening = gaurded)]
struct Wrong;

fn main() {}
