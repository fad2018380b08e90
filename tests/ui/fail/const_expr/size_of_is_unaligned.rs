use allocator_core::derive_allocator;

struct Record(#[allow(dead_code)] [u8; 30]);

#[derive_allocator(size_classes = [16, size_of::<Record>(), 48])]
struct Wrong;

fn main() {}
