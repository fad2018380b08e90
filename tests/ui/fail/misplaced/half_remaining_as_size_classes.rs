use allocator_core::derive_allocator;

#[derive_allocator(size_classes = half_remaining)]
struct Wrong;

fn main() {}
