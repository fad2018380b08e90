//! Rows 14 to 25.

use allocator_core::derive_allocator;

/// Row 14.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles = 0,
    fast_path(local_first = off, skip_collect = off, cache = 1024, direct_max = 4KiB, inline = never),
    page = 512KiB,
    purge = after(1ms),
    thp = default,
    hardening(ends, isolate, shuffle),
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair14;

/// Row 15.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = half_remaining,
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = on, skip_collect = off, cache = off, direct_max = 8, inline = hot),
    page = 64KiB,
    purge = now,
    thp = never,
    hardening(headers, ends, isolate, canaries),
    stats = counters,
    tls = pointer
)]
pub struct Pair15;

/// Row 16.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = all,
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = on, skip_collect = off, cache = 64, direct_max = 4KiB, inline = hot),
    page = 64KiB,
    purge = after(1ms),
    thp = never,
    hardening(headers, ends, guards, isolate, canaries, zero, shuffle, quarantine = 64KiB, sample = 20),
    stats = off,
    tls = pointer
)]
pub struct Pair16;

/// Row 17.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = all,
    retire_cycles = 0,
    fast_path(local_first = off, skip_collect = on, cache = 64, direct_max = 8, inline = never),
    page = 128KiB,
    purge = never,
    thp = default,
    hardening(ends, zero, shuffle),
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair17;

/// Row 18.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles = 1000,
    fast_path(local_first = off, skip_collect = on, cache = 4, direct_max = 4KiB, inline = never),
    page = 512KiB,
    purge = now,
    thp = default,
    hardening(pages, headers, ends, guards, canaries, shuffle, quarantine = 64KiB),
    stats = off,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair18;

/// Row 19.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = on, skip_collect = off, cache = 64, direct_max = 4KiB, inline = never),
    page = 512KiB,
    purge = never,
    thp = always,
    hardening(links, ends, guards, zero, shuffle, quarantine = 64KiB),
    stats = counters,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair19;

/// Row 20.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = off, cache = 4, direct_max = 8, inline = hot),
    page = 64KiB,
    purge = now,
    thp = never,
    hardening(pages, isolate, zero, shuffle),
    stats = off,
    tls = inline
)]
pub struct Pair20;

/// Row 21.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = off, cache = 1024, direct_max = 8, inline = hot),
    page = 64KiB,
    purge = after(1ms),
    thp = never,
    hardening(pages, headers, guards, zero, sample = 20),
    stats = off,
    tls = pointer
)]
pub struct Pair21;

/// Row 22.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = batch(4KiB),
    retire_cycles = 0,
    fast_path(local_first = on, skip_collect = on, cache = off, direct_max = 4KiB, inline = never),
    page = 128KiB,
    purge = after(1ms),
    thp = default,
    hardening(links, guards, isolate, canaries, zero, shuffle, sample = 20),
    stats = off,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair22;

/// Row 23.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = batch(16KiB),
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = off, cache = 1024, direct_max = 4KiB, inline = never),
    page = 64KiB,
    purge = now,
    thp = always,
    hardening(pages, ends, isolate, canaries, zero, quarantine = 64KiB),
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair23;

/// Row 24.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = all,
    retire_cycles = 0,
    fast_path(local_first = on, skip_collect = on, cache = 4, direct_max = 8, inline = hot),
    page = 128KiB,
    purge = never,
    thp = never,
    hardening(headers, guards, isolate, shuffle, sample = 20),
    stats = counters,
    tls = inline
)]
pub struct Pair24;

/// Row 25.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = batch(16KiB),
    retire_cycles = 0,
    fast_path(local_first = off, skip_collect = off, cache = 64, direct_max = 4KiB, inline = hot),
    page = 128KiB,
    purge = after(1ms),
    thp = default,
    hardening(headers, isolate, canaries, shuffle, sample = 20),
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair25;

crate::subjects!(
    Pair14, Pair15, Pair16, Pair17, Pair18, Pair19, Pair20, Pair21, Pair22, Pair23, Pair24, Pair25
);
