use allocator_core::derive_allocator;

#[derive_allocator(page = 96KiB, purge = sometimes)]
struct Wrong;

fn main() {}
