#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(purge = never, thp = default)]
struct Never;
#[derive_allocator(purge = now, thp = never)]
struct Now;
#[derive_allocator(purge = after(1), thp = always)]
struct Soon;
#[derive_allocator(purge = after(3600s))]
struct Late;

fn main() {
    load::check(&Never);
    load::check(&Now);
    load::check(&Soon);
    load::check(&Late);
    Never::purge();
}
