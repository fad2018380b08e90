use allocator_core::derive_allocator;

#[derive_allocator(small_extend = half_remainnig)]
struct Wrong;

fn main() {}
