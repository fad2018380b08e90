use allocator_core::derive_allocator;

#[derive_allocator]
struct Wrong {
    count: usize,
}

fn main() {}
