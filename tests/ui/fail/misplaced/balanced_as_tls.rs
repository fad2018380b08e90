use allocator_core::derive_allocator;

#[derive_allocator(tls = balanced)]
struct Wrong;

fn main() {}
