use allocator_core::derive_allocator;

#[derive_allocator(preset = hardened)]
struct Wrong;

fn main() {}
