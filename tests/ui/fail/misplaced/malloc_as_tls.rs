use allocator_core::derive_allocator;

#[derive_allocator(tls = malloc)]
struct Wrong;

fn main() {}
