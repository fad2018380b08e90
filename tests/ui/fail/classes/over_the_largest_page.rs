use allocator_core::derive_allocator;

#[derive_allocator(page = 512KiB, size_classes = [512KiB, 1MiB])]
struct Wrong;

fn main() {}
