use allocator_core::derive_allocator;

#[derive_allocator(
    pgae = 64KiB,
    purge = half_remaining,
    size_classes = [8, 20, 0],
    fast_path(cache = 4KiB, 7),
    limit = 10ms
)]
struct Wrong(u8);

fn main() {}
