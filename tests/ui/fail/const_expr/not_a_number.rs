use allocator_core::derive_allocator;

const RECORD: &str = "16";

#[derive_allocator(size_classes = [8, RECORD])]
struct Wrong;

fn main() {}
