use allocator_core::derive_allocator;

#[derive_allocator(hardening(sample = 64KiB))]
struct Wrong;

fn main() {}
