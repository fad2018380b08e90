use allocator_core::derive_allocator;

#[derive_allocator(page = 64KiB, page = 128KiB)]
struct Wrong;

fn main() {}
