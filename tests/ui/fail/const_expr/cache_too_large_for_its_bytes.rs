use allocator_core::derive_allocator;

const RECORD: usize = 208;

#[derive_allocator(size_classes = [RECORD], fast_path(cache = 1024))]
struct Wrong;

fn main() {}
