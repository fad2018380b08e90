use allocator_core::derive_allocator;

#[derive_allocator(page = 64kib)]
struct Wrong;

fn main() {}
