use allocator_core::derive_allocator;

#[derive_allocator]
static WRONG: u8 = 0;

fn main() {}
