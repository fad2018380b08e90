use allocator_core::derive_allocator;

const PAGE: usize = 65536;

#[derive_allocator(page = PAGE)]
struct Wrong;

fn main() {}
