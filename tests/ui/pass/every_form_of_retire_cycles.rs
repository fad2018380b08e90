#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(retire_cycles = 7)]
struct Both;
#[derive_allocator(retire_cycles = 0)]
struct Zero;
#[derive_allocator(retire_cycles(small = 1000, large = 0))]
struct Keyed;
#[derive_allocator(retire_cycles = (small = 3, large = 2))]
struct Equals;
#[derive_allocator(retire_cycles(large = 9))]
struct LargeOnly;

fn cycles(config: allocator_core::Config) -> (u32, u32) {
    (config.retire_cycles.small, config.retire_cycles.large)
}

fn main() {
    load::check(&Both);
    load::check(&Zero);
    load::check(&Keyed);
    load::check(&Equals);
    load::check(&LargeOnly);
    assert_eq!(cycles(Both::CONFIG), (7, 7));
    assert_eq!(cycles(Zero::CONFIG), (0, 0));
    assert_eq!(cycles(Keyed::CONFIG), (1000, 0));
    assert_eq!(cycles(Equals::CONFIG), (3, 2));
    assert_eq!(cycles(LargeOnly::CONFIG), (48, 9));
}
