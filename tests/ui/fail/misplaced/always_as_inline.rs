use allocator_core::derive_allocator;

#[derive_allocator(fast_path(inline = always))]
struct Wrong;

fn main() {}
