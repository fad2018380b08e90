#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

mod vendored {
    pub use allocator_core as memory;
}

#[derive_allocator(crate = vendored::memory)]
struct Relative;
#[derive_allocator(crate = crate::vendored::memory)]
struct Absolute;

fn main() {
    load::check(&Relative);
    load::check(&Absolute);
}
