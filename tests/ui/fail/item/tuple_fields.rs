use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong(usize);

fn main() {}
