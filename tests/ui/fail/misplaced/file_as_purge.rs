use allocator_core::derive_allocator;

#[derive_allocator(purge = file("app.classes"))]
struct Wrong;

fn main() {}
