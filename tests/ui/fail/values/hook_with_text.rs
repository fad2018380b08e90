use allocator_core::derive_allocator;

#[derive_allocator(on_corruption = hook("report"))]
struct Wrong;

fn main() {}
