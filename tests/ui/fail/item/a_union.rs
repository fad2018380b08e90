use allocator_core::derive_allocator;

#[derive_allocator]
union Wrong {
    one: u8,
}

fn main() {}
