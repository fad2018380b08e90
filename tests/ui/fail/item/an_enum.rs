use allocator_core::derive_allocator;

#[derive_allocator]
enum Wrong {
    One,
}

fn main() {}
