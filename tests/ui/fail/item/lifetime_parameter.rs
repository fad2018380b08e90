use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong<'a>;

fn main() {}
