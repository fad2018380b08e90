use allocator_core::derive_allocator;

#[derive_allocator(preset = stock)]
#[derive_allocator(page = 128KiB)]
struct Wrong;

fn main() {}
