use allocator_core::derive_allocator;

const RECORD: usize = 16;

#[derive_allocator(size_classes = [8, RECORD], fast_path(direct_max = 64))]
struct Wrong;

fn main() {}
