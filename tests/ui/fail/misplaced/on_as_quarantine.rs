use allocator_core::derive_allocator;

#[derive_allocator(hardening(quarantine = on))]
struct Wrong;

fn main() {}
