use allocator_core::derive_allocator;

#[derive_allocator(page = 512KiB, size_classes = geometric(max = 512KiB), limit = 1MiB)]
struct Wrong;

fn main() {}
