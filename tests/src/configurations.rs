//! The declared types that the model and the seed's cases run on: every option at its ends and
//! every preset. Where the type counts, the model also checks that it ends up with nothing.

use allocator_core::derive_allocator;

/// As it comes.
#[derive_allocator]
pub struct Default;

/// A preset.
#[derive_allocator(preset = balanced, stats = counters)]
pub struct Balanced;

/// A preset.
#[derive_allocator(preset = stock, stats = counters)]
pub struct Stock;

/// A preset.
#[derive_allocator(preset = seed, stats = histogram)]
pub struct Seed;

/// A preset.
#[derive_allocator(preset = throughput, stats = counters)]
pub struct Throughput;

/// A preset.
#[derive_allocator(preset = compact, stats = counters)]
pub struct Compact;

/// One class; everything else is a large block.
#[derive_allocator(size_classes = [64], stats = counters)]
pub struct OneClass;

/// One class that does not divide its page, nor is a multiple of 16.
#[derive_allocator(size_classes = [4376], purge = now, stats = counters)]
pub struct OneOddClass;

/// Two hundred classes.
#[derive_allocator(
    size_classes = [
        8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168,
        176, 184, 192, 200, 208, 216, 224, 232, 240, 248, 256, 264, 272, 280, 288, 296, 304, 312,
        320, 328, 336, 344, 352, 360, 368, 376, 384, 392, 400, 408, 416, 424, 432, 440, 448, 456,
        464, 472, 480, 488, 496, 504, 512, 520, 528, 536, 544, 552, 560, 568, 576, 584, 592, 600,
        608, 616, 624, 632, 640, 648, 656, 664, 672, 680, 688, 696, 704, 712, 720, 728, 736, 744,
        752, 760, 768, 776, 784, 792, 800, 808, 816, 824, 832, 840, 848, 856, 864, 872, 880, 888,
        896, 904, 912, 920, 928, 936, 944, 952, 960, 968, 976, 984, 992, 1000, 1008, 1016, 1024,
        1032, 1040, 1048, 1056, 1064, 1072, 1080, 1088, 1096, 1104, 1112, 1120, 1128, 1136, 1144,
        1152, 1160, 1168, 1176, 1184, 1192, 1200, 1208, 1216, 1224, 1232, 1240, 1248, 1256, 1264,
        1272, 1280, 1288, 1296, 1304, 1312, 1320, 1328, 1336, 1344, 1352, 1360, 1368, 1376, 1384,
        1392, 1400, 1408, 1416, 1424, 1432, 1440, 1448, 1456, 1464, 1472, 1480, 1488, 1496, 1504,
        1512, 1520, 1528, 1536, 1544, 1552, 1560, 1568, 1576, 1584, 1592, 1600,
    ],
    stats = histogram,
)]
pub struct TwoHundredClasses;

/// A few bytes over each power of two; larger and larger alignments go to ever fewer classes.
#[derive_allocator(
    size_classes = [24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776, 65536],
    stats = counters,
)]
pub struct OddClasses;

/// Nothing is kept.
#[derive_allocator(
    small_extend = all,
    retire_cycles = 0,
    fast_path(cache = off),
    purge = now,
    stats = counters,
)]
pub struct NothingKept;

/// Everything is kept, in the largest pages.
#[derive_allocator(
    small_extend = half_remaining,
    retire_cycles = 1000,
    fast_path(cache = 1024),
    page = 512KiB,
    purge = never,
    stats = histogram,
)]
pub struct EverythingKept;

/// A cache too small to be worth its mode.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 2, max = 128KiB),
    fast_path(cache = 1),
    page = 128KiB,
    tls = pointer,
    stats = counters,
)]
pub struct CacheOfOne;

/// The smallest cache that has a mode of its own, behind a pointer.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 1, max = 64KiB),
    fast_path(cache = 4, local_first = off, skip_collect = off),
    page = 256KiB,
    purge = after(1ms),
    tls = pointer,
    stats = counters,
)]
pub struct CacheOfFour;

/// All flags off, nothing inline.
#[derive_allocator(
    fast_path(local_first = off, skip_collect = off, cache = off, inline = never),
    stats = counters,
)]
pub struct FlagsOff;

/// All flags on.
#[derive_allocator(
    preset = stock,
    fast_path(local_first, skip_collect, cache = 64, inline = hot),
    stats = counters,
)]
pub struct FlagsOn;

/// One flag.
#[derive_allocator(preset = stock, fast_path(local_first), stats = counters)]
pub struct LocalFirst;

/// The other flag.
#[derive_allocator(preset = stock, fast_path(skip_collect), stats = counters)]
pub struct SkipCollect;

/// One small block at a time, hardly any size looked up in one load.
#[derive_allocator(
    small_extend = batch(64),
    retire_cycles(small = 1, large = 0),
    fast_path(direct_max = 8, cache = 8),
    stats = counters,
)]
pub struct OneAtATime;

/// The largest blocks that can come from pages, every size looked up in one load.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 8, max = 512KiB),
    fast_path(direct_max = 64KiB),
    page = 512KiB,
    thp = always,
    stats = counters,
)]
pub struct LargestClasses;

/// Guards, and chunks of its own.
#[derive_allocator(hardening(guards, isolate), stats = counters)]
pub struct Walled;

/// As many blocks with OS pages of their own as there can be.
#[derive_allocator(hardening(sample = 1), small_extend = batch(64), stats = counters)]
pub struct Sampled;

/// A budget that the model reaches.
#[derive_allocator(limit = 40MiB, thp = never, stats = counters)]
pub struct Limited;

/// Misuse is looked for.
#[derive_allocator(hardening = checked, stats = counters)]
pub struct Checked;

/// Misuse is looked for in a type without the random mode, with classes that are not powers of two.
#[derive_allocator(
    size_classes = [16, 24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776, 65536],
    hardening = checked,
    fast_path(cache = off),
    tls = pointer,
)]
pub struct CheckedOdd;

/// The level of all but sampling.
#[derive_allocator(hardening = guarded, stats = counters)]
pub struct Guarded;

/// All of `hardening`, with classes that are not powers of two, and hardly any looked up in one load.
#[derive_allocator(
    size_classes = [16, 24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776, 65536],
    hardening(level = guarded, sample = 20),
    fast_path(direct_max = 16),
    stats = counters,
)]
pub struct Fortified;

/// What is behind blocks is looked at, and nothing else.
#[derive_allocator(hardening(canaries), stats = counters)]
pub struct Canaried;

/// Blocks wait, and nothing is looked at.
#[derive_allocator(hardening(quarantine = 4KiB), tls = pointer, stats = counters)]
pub struct Quarantined;

/// Free blocks are zero, fresh ones in random order, and nothing else is looked at. Of classes that are no
/// powers of two, the smallest a word, where a free block holds its link alone.
#[derive_allocator(
    size_classes = [8, 16, 24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776],
    hardening(zero, shuffle),
    stats = counters,
)]
pub struct Cleared;

/// Free blocks are signed, and pointers are not looked at.
#[derive_allocator(hardening(links), stats = counters)]
pub struct Signed;

/// Pointers are looked at, and free blocks are not signed.
#[derive_allocator(
    size_classes = geometric(quantum = 8, per_doubling = 8, max = 512KiB),
    page = 512KiB,
    hardening(pages),
    stats = counters,
)]
pub struct Located;

crate::subjects!(
    Default,
    Balanced,
    Stock,
    Seed,
    Throughput,
    Compact,
    OneClass,
    OneOddClass,
    TwoHundredClasses,
    OddClasses,
    NothingKept,
    EverythingKept,
    CacheOfOne,
    CacheOfFour,
    FlagsOff,
    FlagsOn,
    LocalFirst,
    SkipCollect,
    OneAtATime,
    LargestClasses,
    Walled,
    Sampled,
    Limited,
    Checked,
    CheckedOdd,
    Guarded,
    Fortified,
    Canaried,
    Quarantined,
    Cleared,
    Signed,
    Located,
);

/// Makes one test for each configuration: `every_configuration!(check)` calls `check::<Type>()`.
#[macro_export]
macro_rules! every_configuration {
    ($check:ident) => {
        $crate::every_configuration!($check:
            default Default, balanced Balanced, stock Stock, seed Seed, throughput Throughput,
            compact Compact, one_class OneClass, one_odd_class OneOddClass,
            two_hundred_classes TwoHundredClasses, odd_classes OddClasses,
            nothing_kept NothingKept, everything_kept EverythingKept, cache_of_one CacheOfOne,
            cache_of_four CacheOfFour, flags_off FlagsOff, flags_on FlagsOn,
            local_first LocalFirst, skip_collect SkipCollect, one_at_a_time OneAtATime,
            largest_classes LargestClasses, walled Walled, sampled Sampled, limited Limited,
            checked Checked, checked_odd CheckedOdd, guarded Guarded, fortified Fortified,
            canaried Canaried, quarantined Quarantined,
            cleared Cleared, signed Signed, located Located);
    };
    ($check:ident: $($name:ident $type:ident),+) => {
        mod $check {
            $(
                #[test]
                fn $name() {
                    super::$check::<$crate::configurations::$type>();
                }
            )+
        }
    };
}
