#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 16, per_doubling = 8, max = 16KiB),
    small_extend = batch(2KiB),
    retire_cycles(small = 8, large = 2),
    fast_path(local_first, skip_collect = off, cache = 32, direct_max = 4KiB, inline = never),
    page = 128KiB,
    purge = after(50ms),
    thp = never,
    hardening = off,
    on_corruption = abort,
    stats = histogram,
    limit = 64MiB,
    tls = pointer,
    export = off,
    crate = ::allocator_core
)]
struct Everything;

fn main() {
    load::check(&Everything);
    let config = Everything::CONFIG;
    assert!(config.fast_path.local_first && !config.fast_path.skip_collect);
    assert_eq!(
        (config.fast_path.cache, config.fast_path.direct_max),
        (32, 4096)
    );
    assert_eq!(
        (config.page_bytes, config.limit_bytes),
        (128 << 10, Some(64 << 20))
    );
    assert_eq!(
        (config.retire_cycles.small, config.retire_cycles.large),
        (8, 2)
    );
}
