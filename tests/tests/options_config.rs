//! `CONFIG`: the printed attribute declares the same allocator again, equal choices have equal
//! fingerprints, and the class table says what blocks really are.

use std::collections::{BTreeSet, HashMap};

use allocator_core::{Config, derive_allocator};
use allocator_tests::configurations::{self, Compact, Default, OddClasses};
use allocator_tests::every_configuration;
use allocator_tests::subject::{Subject, layout};

/// Types declared by the text that other types print: the compiler parses it here, and
/// `a_printed_configuration_declares_it_again` compares.
mod reproduced {
    use allocator_core::derive_allocator;

    include!("../printed/default.rs");
    include!("../printed/odd_classes.rs");
    include!("../printed/everything.rs");
}

/// Every option away from what `stock` and `balanced` say.
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
)]
struct Everything;

#[test]
fn a_printed_configuration_declares_it_again() {
    let pairs = [
        (
            Default::CONFIG,
            reproduced::Default::CONFIG,
            include_str!("../printed/default.rs"),
        ),
        (
            OddClasses::CONFIG,
            reproduced::OddClasses::CONFIG,
            include_str!("../printed/odd_classes.rs"),
        ),
        (
            Everything::CONFIG,
            reproduced::Everything::CONFIG,
            include_str!("../printed/everything.rs"),
        ),
    ];
    for (config, reproduced, source) in pairs {
        let printed = format!("{config}\npub struct {};\n", config.name);
        assert_eq!(source, printed, "tests/printed holds what the type prints");
        assert_eq!(config, reproduced);
        assert_eq!(config.to_string(), reproduced.to_string());
        assert_eq!(config.fingerprint(), reproduced.fingerprint());
    }
}

/// As `Default`, every option written out, under another name.
#[derive_allocator(
    size_classes = standard,
    small_extend = batch(16KiB),
    retire_cycles(small = 48, large = 16),
    fast_path(
        local_first,
        skip_collect = on,
        cache = 64,
        direct_max = 8192,
        inline = hot
    ),
    page = 64KiB,
    purge = after(10),
    thp = default,
    hardening = off,
    on_corruption = abort,
    stats = off,
    tls = inline,
    export = off,
)]
struct WrittenOut;

/// As `Compact`, option by option on another preset.
#[derive_allocator(
    preset = throughput,
    small_extend = batch(4096),
    retire_cycles(small = 4, large = 2),
    fast_path(cache = 16),
    purge = after(5ms),
    stats = counters,
)]
struct OnAnotherPreset;

#[test]
fn equal_choices_have_equal_fingerprints_whatever_their_spelling_and_name() {
    assert_ne!(Default::CONFIG.name, WrittenOut::CONFIG.name);
    assert_eq!(Default::CONFIG.to_string(), WrittenOut::CONFIG.to_string());
    assert_eq!(
        Default::CONFIG.fingerprint(),
        WrittenOut::CONFIG.fingerprint()
    );
    assert_eq!(
        Compact::CONFIG.fingerprint(),
        OnAnotherPreset::CONFIG.fingerprint()
    );
}

/// Declares types and asserts that their fingerprints all differ.
macro_rules! all_differ {
    ($($name:ident($($option:tt)*))*) => {{
        let mut by_fingerprint = HashMap::new();
        $(
            #[derive_allocator($($option)*)]
            struct $name;
            let before = by_fingerprint.insert($name::CONFIG.fingerprint(), stringify!($name));
            assert_eq!(before, None, "{} has the same fingerprint", stringify!($name));
        )*
    }};
}

fn ignore(_: &allocator_core::Corruption) {}

#[test]
fn each_option_changes_the_fingerprint() {
    all_differ! {
        Nothing(preset = balanced)
        SizeClasses(size_classes = geometric(quantum = 16))
        PerDoubling(size_classes = geometric(per_doubling = 2))
        Max(size_classes = geometric(max = 64KiB))
        List(size_classes = [8, 16, 32, 64], fast_path(direct_max = 64))
        OtherList(size_classes = [8, 16, 24, 48, 64], fast_path(direct_max = 64))
        Extend(small_extend = batch(16383))
        Half(small_extend = half_remaining)
        All(small_extend = all)
        RetireSmall(retire_cycles(small = 47))
        RetireLarge(retire_cycles(large = 17))
        LocalFirst(fast_path(local_first = off))
        SkipCollect(fast_path(skip_collect = off))
        Cache(fast_path(cache = 63))
        CacheOff(fast_path(cache = off))
        DirectMax(fast_path(direct_max = 4KiB))
        Inline(fast_path(inline = never))
        Page(page = 128KiB)
        PurgeNever(purge = never)
        PurgeNow(purge = now)
        PurgeAfter(purge = after(11ms))
        ThpNever(thp = never)
        ThpAlways(thp = always)
        Counters(stats = counters)
        Histogram(stats = histogram)
        Limit(limit = 64MiB)
        OtherLimit(limit = 65MiB)
        Tls(tls = pointer)
        HardeningLinks(hardening(links))
        HardeningPages(hardening(pages))
        HardeningHeaders(hardening(headers))
        HardeningEnds(hardening(ends))
        HardeningZero(hardening(zero))
        HardeningShuffle(hardening(shuffle))
        HardeningCanaries(hardening(canaries))
        HardeningQuarantine(hardening(quarantine = 64KiB))
        OtherQuarantine(hardening(quarantine = 65KiB))
        Guarded(hardening = guarded)
        Checked(hardening = checked)
        Trap(on_corruption = trap)
        Hook(on_corruption = hook(self::ignore))
    }
}

every_configuration!(the_class_table_is_what_blocks_are);

fn the_class_table_is_what_blocks_are<A: Subject>() {
    let config: Config = A::CHOICES;
    // Then a block ends for its user where what was asked for does.
    let has_canaries = config.hardening.canaries;
    let mut before = 0;
    let mut sizes = BTreeSet::new();
    assert_eq!(config.classes().len(), config.class_bytes.len());
    for (class, &bytes) in config.classes().zip(config.class_bytes) {
        assert_eq!(class.block_bytes, bytes as usize);
        assert_eq!(class.smallest_request_bytes, before + 1);
        let guard_bytes = if config.hardening.guards { 4096 } else { 0 };
        let usable_bytes = class.page_bytes - guard_bytes;
        assert!(class.blocks_per_page * class.block_bytes <= usable_bytes);
        assert!((class.blocks_per_page + 1) * class.block_bytes > usable_bytes);
        assert!((0.0..1.0).contains(&class.tail_waste()));
        let waste = (class.block_bytes - class.smallest_request_bytes) as f64;
        assert!((class.worst_waste() - waste / class.block_bytes as f64).abs() < 1e-9);
        for size in [class.smallest_request_bytes, class.block_bytes] {
            let usable = if has_canaries {
                size
            } else {
                class.block_bytes
            };
            assert_eq!(A::usable_size(layout(size, 1)), usable, "{size}");
        }
        // Neighbours in a page are that far apart, or a multiple of it.
        let block = layout(class.block_bytes - if has_canaries { 8 } else { 0 }, 1);
        let pair = [(); 2].map(|()| A::allocate(block).expect("memory"));
        let apart = pair[0].addr().get().abs_diff(pair[1].addr().get());
        let same_page = apart < class.page_bytes;
        assert!(!same_page || apart.is_multiple_of(class.block_bytes));
        for start in pair {
            // SAFETY: live, of this layout.
            unsafe { A::deallocate(start, block) };
        }
        sizes.insert(class.block_bytes);
        before = class.block_bytes;
    }
    let least = if has_canaries {
        0
    } else {
        config.class_bytes[0]
    };
    assert_eq!(A::usable_size(layout(0, 1)), least as usize);
    assert!(A::usable_size(layout(before + 1, 1)) > before);
    // At any alignment a request gets one of the sizes of the table, or whole slices.
    for shift in 0..16 {
        let align = 1 << shift;
        let usable = A::usable_size(layout(align, align));
        assert!(
            sizes.contains(&usable) || usable.is_multiple_of(64 << 10) || has_canaries,
            "{align}"
        );
        assert!(usable.is_multiple_of(align));
    }
}

/// The same numbers as the type's rustdoc has: `allocator-macros/src/tests.rs`.
#[test]
fn the_class_table_has_the_pages_of_the_rustdoc() {
    let pages = |config: Config, bytes| {
        let mut classes = config.classes();
        let class = classes.find(|class| class.block_bytes == bytes);
        class.map(|class| (class.blocks_per_page, class.page_bytes))
    };
    let plain = Default::CONFIG;
    assert_eq!(pages(plain, 8192), Some((8, 64 << 10)));
    assert_eq!(pages(plain, 32768), Some((8, 256 << 10)));
    let guarded = configurations::Guarded::CONFIG;
    assert_eq!(pages(guarded, 8192), Some((7, 64 << 10)));
    assert_eq!(pages(guarded, 32768), Some((7, 256 << 10)));
}

/// One page of the largest class is all that it may have.
#[derive_allocator(page = 512KiB, size_classes = geometric(max = 512KiB), limit = 2MiB)]
struct OnePage;

#[test]
fn the_least_limit_has_room_for_a_page_of_the_largest_class() {
    let largest = layout(512 << 10, 1);
    let block = OnePage.allocate(largest).expect("a page fits");
    // SAFETY: live, of this layout.
    unsafe { OnePage.deallocate(block, largest) };
}

#[test]
fn signed_blocks_have_room_for_the_signature() {
    let classes = |config: Config| config.classes().map(|class| class.block_bytes);
    assert_eq!(
        classes(Default::CONFIG).take(3).collect::<Vec<_>>(),
        [8, 16, 24]
    );
    for config in [
        configurations::Checked::CONFIG,
        configurations::Signed::CONFIG,
    ] {
        assert_eq!(classes(config).take(2).collect::<Vec<_>>(), [16, 24]);
    }
    assert_eq!(classes(configurations::Located::CONFIG).next(), Some(8));
    assert_eq!(configurations::Checked.usable_size(layout(1, 1)), 16);
}

#[test]
fn the_presets_are_what_is_documented() {
    let stock = configurations::Stock::CONFIG;
    assert_eq!((stock.retire_cycles.small, stock.fast_path.cache), (16, 0));
    assert_eq!(stock.quantum(), 16);
    assert!(!stock.fast_path.local_first && !stock.fast_path.skip_collect);
    let seed = configurations::Seed::CONFIG;
    assert_eq!(
        (seed.retire_cycles.small, seed.retire_cycles.large),
        (48, 16)
    );
    assert!(seed.fast_path.local_first && seed.fast_path.skip_collect);
    assert_eq!(
        seed.small_extend,
        allocator_core::config::Extend::HalfRemaining
    );
}
