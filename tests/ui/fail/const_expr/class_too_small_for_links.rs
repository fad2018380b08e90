use allocator_core::derive_allocator;

const SMALLEST: usize = 8;

#[derive_allocator(size_classes = [SMALLEST, 16, 32], fast_path(direct_max = 16), hardening = checked)]
struct Wrong;

fn main() {}
