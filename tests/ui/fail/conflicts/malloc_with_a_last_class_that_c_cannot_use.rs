use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [16, 24], export = malloc)]
struct Wrong;

fn main() {}
