use allocator_core::derive_allocator;

#[derive_allocator(small_extend = 4KiB)]
struct Wrong;

fn main() {}
