use allocator_core::derive_allocator;

#[derive_allocator(page = 512KiB, size_classes = geometric(max = 512KiB), limit = 2MiB)]
struct Wrong;

fn main() {}
