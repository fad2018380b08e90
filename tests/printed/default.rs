#[derive_allocator(
    size_classes = standard,
    small_extend = batch(16KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(local_first, skip_collect, cache = 64, direct_max = 8KiB, inline = hot),
    page = 64KiB,
    purge = after(10ms),
    thp = default,
    hardening = off,
    on_corruption = abort,
    stats = off,
    tls = inline,
    export = off,
)]
pub struct Default;
