#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 8, max = 16KiB),
    small_extend = half_remaining,
    retire_cycles(small = 7, large = 3),
    fast_path(local_first = off, skip_collect, cache = 33, direct_max = 4000, inline = never),
    page = 128KiB,
    purge = after(1500ms),
    thp = always,
    hardening = off,
    on_corruption = abort,
    stats = histogram,
    limit = 3MiB,
    tls = pointer,
    export = off,
)]
pub struct Everything;
