use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong<const N: usize>;

fn main() {}
