use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [32KiB, 64KiB, 128KiB])]
struct Wrong;

fn main() {}
