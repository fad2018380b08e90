use allocator_core::derive_allocator;

#[derive_allocator(hardening(level = off, quarantine = 100))]
struct Wrong;

fn main() {}
