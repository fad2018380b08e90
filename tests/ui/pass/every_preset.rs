#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(preset = balanced)]
struct Balanced;
#[derive_allocator(preset = stock)]
struct Stock;
#[derive_allocator(preset = seed)]
struct Seed;
#[derive_allocator(preset = throughput)]
struct Throughput;
#[derive_allocator(preset = compact)]
struct Compact;
#[derive_allocator(preset = hardened)]
struct Hardened;

fn main() {
    load::check(&Balanced);
    load::check(&Stock);
    load::check(&Seed);
    load::check(&Throughput);
    load::check(&Compact);
    load::check(&Hardened);
    assert_eq!(Hardened::CONFIG.hardening, allocator_core::config::Hardening::GUARDED);
    assert_eq!(Stock::CONFIG.fast_path.cache, 0);
    assert_eq!(Throughput::CONFIG.fast_path.cache, 256);
    assert_eq!(Compact::CONFIG.retire_cycles.small, 4);
}
