#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(small_extend = batch(64))]
struct Few;
#[derive_allocator(small_extend = batch(64KiB))]
struct Page;
#[derive_allocator(small_extend = half_remaining)]
struct Half;
#[derive_allocator(small_extend = all)]
struct All;

fn main() {
    load::check(&Few);
    load::check(&Page);
    load::check(&Half);
    load::check(&All);
}
