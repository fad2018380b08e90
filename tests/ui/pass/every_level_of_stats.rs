#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(stats = off)]
struct Off;
#[derive_allocator(stats = counters)]
struct Counters;
#[derive_allocator(stats = histogram)]
struct Histogram;

fn main() {
    load::check(&Off);
    load::check(&Counters);
    load::check(&Histogram);
    println!(
        "{:?} {:?} {:?}",
        Off::stats(),
        Counters::stats(),
        Histogram::stats()
    );
}
