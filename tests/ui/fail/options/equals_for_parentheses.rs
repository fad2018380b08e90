use allocator_core::derive_allocator;

#[derive_allocator(fast_path = local_first)]
struct Wrong;

fn main() {}
