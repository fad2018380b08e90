use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong
where
    u8: Copy;

fn main() {}
