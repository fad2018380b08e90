use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [16, 32, 64], fast_path(direct_max = 128))]
struct Wrong;

fn main() {}
