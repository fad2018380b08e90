use allocator_core::derive_allocator;

struct Wrong;

#[derive_allocator]
impl Wrong {}

fn main() {}
