use allocator_core::derive_allocator;

const RECORD: usize = 208;

#[derive_allocator(small_extend = batch(RECORD * 1KiB))]
struct Wrong;

fn main() {}
