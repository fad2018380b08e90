use allocator_core::derive_allocator;

#[derive_allocator(on_corruption = hook)]
struct Wrong;

fn main() {}
