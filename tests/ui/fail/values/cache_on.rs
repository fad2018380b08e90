use allocator_core::derive_allocator;

#[derive_allocator(fast_path(cache = on))]
struct Wrong;

fn main() {}
