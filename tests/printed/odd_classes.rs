#[derive_allocator(
    size_classes = [24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776, 65536],
    small_extend = batch(16KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(local_first, skip_collect, cache = 64, direct_max = 8KiB, inline = hot),
    page = 64KiB,
    purge = after(10ms),
    thp = default,
    hardening = off,
    on_corruption = abort,
    stats = counters,
    tls = inline,
    export = off,
)]
pub struct OddClasses;
