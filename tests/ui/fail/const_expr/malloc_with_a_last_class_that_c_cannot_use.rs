use allocator_core::derive_allocator;

const RECORD: usize = 24;

#[derive_allocator(size_classes = [16, RECORD], export = malloc)]
struct Wrong;

fn main() {}
