use allocator_core::derive_allocator;

#[derive_allocator(page = 96KiB)]
struct Wrong;

fn main() {}
