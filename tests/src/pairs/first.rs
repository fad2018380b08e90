//! Rows 1 to 13.

use allocator_core::derive_allocator;

/// Row 1.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = batch(16KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = off, skip_collect = on, cache = 4, direct_max = 8, inline = hot),
    page = 64KiB,
    purge = never,
    thp = default,
    hardening = off,
    stats = counters,
    tls = inline
)]
pub struct Pair1;

/// Row 2.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = half_remaining,
    retire_cycles = 0,
    fast_path(local_first = on, skip_collect = off, cache = 64, direct_max = 4KiB, inline = never),
    page = 512KiB,
    purge = now,
    thp = always,
    hardening = off,
    stats = off,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair2;

/// Row 3.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = batch(4KiB),
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = on, cache = 1024, direct_max = 4KiB, inline = never),
    page = 128KiB,
    purge = after(1ms),
    thp = never,
    hardening = checked,
    stats = histogram,
    tls = pointer
)]
pub struct Pair3;

/// Row 4.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = all,
    retire_cycles = 1000,
    fast_path(local_first = off, skip_collect = on, cache = off, direct_max = 8, inline = hot),
    page = 512KiB,
    purge = after(1ms),
    thp = always,
    hardening = checked,
    stats = off,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair4;

/// Row 5.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles = 0,
    fast_path(local_first = off, skip_collect = off, cache = 64, direct_max = 8, inline = hot),
    page = 64KiB,
    purge = now,
    thp = never,
    hardening(links, pages, guards, isolate, canaries, zero, shuffle, quarantine = 64KiB, sample = 20),
    stats = histogram,
    tls = inline
)]
pub struct Pair5;

/// Row 6.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = all,
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = on, skip_collect = on, cache = off, direct_max = 4KiB, inline = never),
    page = 128KiB,
    purge = never,
    thp = default,
    hardening(headers, guards, isolate, canaries, zero, shuffle, quarantine = 64KiB, sample = 20),
    stats = counters,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair6;

/// Row 7.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = batch(16KiB),
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = off, cache = 4, direct_max = 4KiB, inline = hot),
    page = 512KiB,
    purge = after(1ms),
    thp = always,
    hardening(links, headers, ends, guards, isolate, canaries, zero, quarantine = 64KiB, sample = 20),
    stats = off,
    tls = pointer
)]
pub struct Pair7;

/// Row 8.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = batch(4KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = off, skip_collect = off, cache = 1024, direct_max = 8, inline = never),
    page = 512KiB,
    purge = never,
    thp = never,
    hardening(pages, ends, guards, zero, shuffle, quarantine = 64KiB),
    stats = off,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair8;

/// Row 9.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = on, cache = 1024, direct_max = 4KiB, inline = hot),
    page = 64KiB,
    purge = after(1ms),
    thp = always,
    hardening(ends, isolate, canaries, shuffle, sample = 20),
    stats = counters,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair9;

/// Row 10.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = batch(16KiB),
    retire_cycles = 0,
    fast_path(local_first = off, skip_collect = off, cache = 4, direct_max = 4KiB, inline = never),
    page = 128KiB,
    purge = now,
    thp = never,
    hardening(headers, ends, canaries, zero, shuffle, quarantine = 64KiB, sample = 20),
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair10;

/// Row 11.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles = 1000,
    fast_path(local_first = on, skip_collect = on, cache = 64, direct_max = 8, inline = hot),
    page = 128KiB,
    purge = never,
    thp = default,
    hardening(links, pages, headers, ends, guards, canaries),
    stats = off,
    tls = inline
)]
pub struct Pair11;

/// Row 12.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = all,
    retire_cycles = 0,
    fast_path(local_first = on, skip_collect = on, cache = 1024, direct_max = 8, inline = never),
    page = 64KiB,
    purge = now,
    thp = default,
    hardening(links, pages, ends, guards, isolate, quarantine = 64KiB, sample = 20),
    stats = counters,
    tls = pointer
)]
pub struct Pair12;

/// Row 13.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = batch(16KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(local_first = on, skip_collect = off, cache = off, direct_max = 8, inline = never),
    page = 128KiB,
    purge = never,
    thp = always,
    hardening(links, pages, ends, zero),
    stats = histogram,
    tls = pointer
)]
pub struct Pair13;

crate::subjects!(
    Pair1, Pair2, Pair3, Pair4, Pair5, Pair6, Pair7, Pair8, Pair9, Pair10, Pair11, Pair12, Pair13
);
