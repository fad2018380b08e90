use allocator_core::derive_allocator;

#[derive_allocator(tls = static)]
struct Wrong;

fn main() {}
