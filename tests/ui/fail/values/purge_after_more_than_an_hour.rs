use allocator_core::derive_allocator;

#[derive_allocator(purge = after(3601s))]
struct Wrong;

fn main() {}
