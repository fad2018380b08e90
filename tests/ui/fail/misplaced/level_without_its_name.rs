use allocator_core::derive_allocator;

#[derive_allocator(hardening(checked))]
struct Wrong;

fn main() {}
