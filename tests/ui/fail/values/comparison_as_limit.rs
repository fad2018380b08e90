use allocator_core::derive_allocator;

const N: usize = 64;

#[derive_allocator(limit = (N == 64))]
struct Compared;

#[derive_allocator(limit = N > 3 && N < 100)]
struct Joined;

#[derive_allocator(limit = 64MiB as f64)]
struct Fraction;

fn main() {}
