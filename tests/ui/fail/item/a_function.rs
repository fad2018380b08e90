use allocator_core::derive_allocator;

#[derive_allocator]
fn wrong() {}

fn main() {}
