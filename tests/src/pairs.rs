//! Declared types in which every two choices of different options meet: mistakes in how options
//! work together show in pairs. `every_two_choices_meet` in `tests/model.rs` holds them to it.

use allocator_core::{Config, derive_allocator};

/// Row 1.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 64,
        direct_max = 4KiB,
        inline = hot,
    ),
    page = 128KiB,
    purge = now,
    thp = default,
    stats = counters,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair1;

/// Row 2.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles = 0,
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = 1024,
        direct_max = 8,
        inline = never,
    ),
    page = 128KiB,
    purge = after(1ms),
    thp = always,
    stats = off,
    tls = pointer
)]
pub struct Pair2;

/// Row 3.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = batch(16KiB),
    retire_cycles = 1000,
    fast_path(
        local_first = on,
        skip_collect = off,
        cache = 4,
        direct_max = 8,
        inline = hot,
    ),
    page = 64KiB,
    purge = never,
    thp = never,
    stats = histogram,
    tls = inline
)]
pub struct Pair3;

/// Row 4.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = all,
    retire_cycles = 1000,
    fast_path(
        local_first = off,
        skip_collect = on,
        cache = off,
        direct_max = 4KiB,
        inline = never,
    ),
    page = 512KiB,
    purge = never,
    thp = default,
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair4;

/// Row 5.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = batch(16KiB),
    retire_cycles = 0,
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 1024,
        direct_max = 4KiB,
        inline = hot,
    ),
    page = 512KiB,
    purge = after(1ms),
    thp = always,
    stats = off,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair5;

/// Row 6.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = off,
        direct_max = 8,
        inline = never,
    ),
    page = 64KiB,
    purge = now,
    thp = never,
    stats = counters,
    tls = pointer
)]
pub struct Pair6;

/// Row 7.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = all,
    retire_cycles = 0,
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 64,
        direct_max = 8,
        inline = never,
    ),
    page = 64KiB,
    purge = after(1ms),
    thp = never,
    stats = off,
    tls = inline
)]
pub struct Pair7;

/// Row 8.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = off,
        skip_collect = on,
        cache = 4,
        direct_max = 4KiB,
        inline = hot,
    ),
    page = 512KiB,
    purge = after(1ms),
    thp = never,
    stats = counters,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair8;

/// Row 9.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = batch(16KiB),
    retire_cycles = 0,
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = 4,
        direct_max = 8,
        inline = never,
    ),
    page = 512KiB,
    purge = now,
    thp = default,
    stats = off,
    tls = pointer
)]
pub struct Pair9;

/// Row 10.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = all,
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = 64,
        direct_max = 4KiB,
        inline = hot,
    ),
    page = 128KiB,
    purge = never,
    thp = always,
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
    fast_path(
        local_first = on,
        skip_collect = off,
        cache = off,
        direct_max = 4KiB,
        inline = hot,
    ),
    page = 64KiB,
    purge = after(1ms),
    thp = always,
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair11;

/// Row 12.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = batch(16KiB),
    retire_cycles = 1000,
    fast_path(
        local_first = on,
        skip_collect = off,
        cache = 1024,
        direct_max = 8,
        inline = hot,
    ),
    page = 128KiB,
    purge = now,
    thp = always,
    stats = counters,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair12;

/// Row 13.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = batch(4KiB),
    retire_cycles = 0,
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 1024,
        direct_max = 4KiB,
        inline = never,
    ),
    page = 512KiB,
    purge = after(1ms),
    thp = default,
    stats = histogram,
    tls = inline
)]
pub struct Pair13;

/// Row 14.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles = 1000,
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = off,
        direct_max = 8,
        inline = never,
    ),
    page = 64KiB,
    purge = never,
    thp = default,
    stats = off,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair14;

/// Row 15.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 4, max = 32KiB),
    small_extend = all,
    retire_cycles = 0,
    fast_path(
        local_first = on,
        skip_collect = off,
        cache = 1024,
        direct_max = 8,
        inline = never,
    ),
    page = 128KiB,
    purge = never,
    thp = never,
    stats = counters,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair15;

/// Row 16.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles = 1000,
    fast_path(
        local_first = off,
        skip_collect = on,
        cache = 64,
        direct_max = 8,
        inline = never,
    ),
    page = 512KiB,
    purge = never,
    thp = default,
    stats = histogram,
    tls = pointer
)]
pub struct Pair16;

/// Row 17.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = all,
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 4,
        direct_max = 4KiB,
        inline = hot,
    ),
    page = 128KiB,
    purge = now,
    thp = always,
    stats = histogram,
    tls = inline
)]
pub struct Pair17;

/// Row 18.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = half_remaining,
    retire_cycles = 0,
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = off,
        direct_max = 4KiB,
        inline = never,
    ),
    page = 128KiB,
    purge = now,
    thp = always,
    stats = counters,
    tls = pointer
)]
pub struct Pair18;

/// Row 19.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = batch(4KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 1024,
        direct_max = 4KiB,
        inline = never,
    ),
    page = 64KiB,
    purge = never,
    thp = always,
    stats = off,
    tls = inline
)]
pub struct Pair19;

/// Row 20.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = batch(16KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = off,
        skip_collect = on,
        cache = 64,
        direct_max = 4KiB,
        inline = never,
    ),
    page = 128KiB,
    purge = now,
    thp = default,
    stats = histogram,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair20;

/// Row 21.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = all,
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = 4,
        direct_max = 8,
        inline = hot,
    ),
    page = 128KiB,
    purge = never,
    thp = always,
    stats = counters,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair21;

/// Row 22.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 1, max = 64KiB),
    small_extend = batch(16KiB),
    retire_cycles = 1000,
    fast_path(
        local_first = off,
        skip_collect = off,
        cache = off,
        direct_max = 8,
        inline = hot,
    ),
    page = 64KiB,
    purge = never,
    thp = always,
    stats = off,
    limit = 64MiB,
    tls = inline
)]
pub struct Pair22;

/// Row 23.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 64, 104, 168, 272, 440, 712, 1152, 1864, 3016, 4880],
    small_extend = half_remaining,
    retire_cycles = 1000,
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = 4,
        direct_max = 8,
        inline = hot,
    ),
    page = 64KiB,
    purge = never,
    thp = default,
    stats = counters,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair23;

/// Row 24.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 32KiB),
    small_extend = batch(4KiB),
    retire_cycles = 0,
    fast_path(
        local_first = on,
        skip_collect = on,
        cache = 4,
        direct_max = 8,
        inline = never,
    ),
    page = 512KiB,
    purge = now,
    thp = always,
    stats = histogram,
    limit = 64MiB,
    tls = pointer
)]
pub struct Pair24;

crate::subjects!(
    Pair1, Pair2, Pair3, Pair4, Pair5, Pair6, Pair7, Pair8, Pair9, Pair10, Pair11, Pair12, Pair13,
    Pair14, Pair15, Pair16, Pair17, Pair18, Pair19, Pair20, Pair21, Pair22, Pair23, Pair24
);

/// The choices of all of them.
pub const ALL: [Config; 24] = [
    Pair1::CONFIG,
    Pair2::CONFIG,
    Pair3::CONFIG,
    Pair4::CONFIG,
    Pair5::CONFIG,
    Pair6::CONFIG,
    Pair7::CONFIG,
    Pair8::CONFIG,
    Pair9::CONFIG,
    Pair10::CONFIG,
    Pair11::CONFIG,
    Pair12::CONFIG,
    Pair13::CONFIG,
    Pair14::CONFIG,
    Pair15::CONFIG,
    Pair16::CONFIG,
    Pair17::CONFIG,
    Pair18::CONFIG,
    Pair19::CONFIG,
    Pair20::CONFIG,
    Pair21::CONFIG,
    Pair22::CONFIG,
    Pair23::CONFIG,
    Pair24::CONFIG,
];

/// Makes one test for each of them: `every_pair!(check)` calls `check::<Type>()`.
#[macro_export]
macro_rules! every_pair {
    ($check:ident) => {
        $crate::every_pair!($check:
            pair_1 Pair1, pair_2 Pair2, pair_3 Pair3, pair_4 Pair4, pair_5 Pair5, pair_6 Pair6,
            pair_7 Pair7, pair_8 Pair8, pair_9 Pair9, pair_10 Pair10, pair_11 Pair11, pair_12
            Pair12, pair_13 Pair13, pair_14 Pair14, pair_15 Pair15, pair_16 Pair16, pair_17
            Pair17, pair_18 Pair18, pair_19 Pair19, pair_20 Pair20, pair_21 Pair21, pair_22
            Pair22, pair_23 Pair23, pair_24 Pair24);
    };
    ($check:ident: $($name:ident $type:ident),+) => {
        $(
            #[test]
            fn $name() {
                $check::<$crate::pairs::$type>();
            }
        )+
    };
}
