use allocator_core::derive_allocator;

const BUDGET: usize = 1000;

#[derive_allocator(limit = BUDGET)]
struct Wrong;

fn main() {}
