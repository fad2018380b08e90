use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [208, 416], fast_path(cache = 1024))]
struct Wrong;

fn main() {}
