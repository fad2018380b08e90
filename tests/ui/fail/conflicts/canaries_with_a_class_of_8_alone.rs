use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [8], fast_path(direct_max = 8), hardening(canaries))]
struct Wrong;

fn main() {}
