use allocator_core::derive_allocator;

#[derive_allocator(fast_path(skip_colect))]
struct Wrong;

fn main() {}
