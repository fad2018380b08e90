use allocator_core::derive_allocator;

#[derive_allocator(page = 64KiB +)]
struct Wrong;

fn main() {}
