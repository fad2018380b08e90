use allocator_core::derive_allocator;

#[derive_allocator(purge = 'static)]
struct Wrong;

fn main() {}
