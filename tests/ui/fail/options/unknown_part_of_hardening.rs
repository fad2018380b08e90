use allocator_core::derive_allocator;

#[derive_allocator(hardening(lincs))]
struct Wrong;

fn main() {}
