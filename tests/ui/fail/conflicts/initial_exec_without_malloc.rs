use allocator_core::derive_allocator;

#[derive_allocator(tls = initial_exec)]
struct Wrong;

fn main() {}
