use allocator_core::derive_allocator;

fn report(_: usize) {}

#[derive_allocator(on_corruption = hook(report))]
struct Wrong;

fn main() {}
