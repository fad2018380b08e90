//! `stats`: off counts nothing, counters count what happens, the histogram counts it by class.

use allocator_core::config::StatsLevel;
use allocator_core::{Stats, derive_allocator};
use allocator_tests::block::Block;
use allocator_tests::crew::Worker;
use allocator_tests::every_configuration;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

fn block<A: Subject>(size: usize) -> Block<A> {
    Block::new(size, 1, false, size as u64).expect("memory")
}

#[derive_allocator]
struct Off;

#[derive_allocator(limit = 64MiB)]
struct OffWithLimit;

#[derive_allocator(stats = counters)]
struct Counters;

#[derive_allocator(stats = histogram)]
struct Histogram;

#[derive_allocator(stats = histogram, fast_path(cache = off), tls = pointer)]
struct HistogramByPointer;

#[derive_allocator(stats = counters)]
struct Held;

subjects!(
    Off,
    OffWithLimit,
    Counters,
    Histogram,
    HistogramByPointer,
    Held
);

#[test]
fn stats_off_counts_nothing() {
    fn check<A: Subject>() {
        let live: Vec<_> = (0..2000).map(|i| block::<A>(i * 20)).collect();
        assert_eq!(A::stats(), Stats::default());
        Worker::start().run(|| live.into_iter().for_each(Block::free));
        assert_eq!(A::stats(), Stats::default());
    }
    check::<Off>();
    check::<OffWithLimit>();
}

#[test]
fn counters_count_every_block_of_every_kind_by_every_thread() {
    const SIZES: [usize; 5] = [0, 40, 20_000, 1_000_000, 20_000_000];
    let live: Vec<_> = SIZES.iter().map(|&size| block::<Counters>(size)).collect();
    let elsewhere = Worker::start().run(|| SIZES.map(block::<Counters>));
    assert_eq!(
        (Counters::stats().allocations, Counters::stats().frees),
        (10, 0)
    );
    live.into_iter().for_each(Block::free);
    assert_eq!(
        (Counters::stats().allocations, Counters::stats().frees),
        (10, 5)
    );
    // The thread that they are of has ended.
    elsewhere.into_iter().for_each(Block::free);
    let stats = Counters::stats();
    assert_eq!((stats.allocations, stats.frees), (10, 10));
    assert_eq!((stats.pages_abandoned, stats.remote_frees), (3, 3));
}

#[test]
fn held_bytes_are_pages_and_mappings() {
    let held = || Held::stats().held_bytes;
    assert_eq!(held(), 0);
    let small = block::<Held>(100);
    assert_eq!(held(), 64 << 10, "a page of small blocks");
    let medium = block::<Held>(20_000);
    assert_eq!(held(), 5 * (64 << 10), "and one of larger blocks");
    let large = block::<Held>(100_000);
    assert_eq!(held(), 7 * (64 << 10), "and two slices");
    let huge = block::<Held>(20_000_001);
    assert_eq!(held(), 7 * (64 << 10) + 20_000_768, "and whole OS pages");
    [small, medium, large, huge]
        .into_iter()
        .for_each(Block::free);
    Held::purge();
    assert_eq!(held(), 0);
}

#[test]
fn the_histogram_counts_each_class() {
    fn check<A: Subject>() {
        let mut random = Random::new(seed_of("the_histogram_counts_each_class"));
        let classes: Vec<_> = A::CHOICES.classes().collect();
        let mut expected = vec![(0, 0); classes.len()];
        let index_of = |size| classes.iter().position(|class| size <= class.block_bytes);
        let mut live = Vec::new();
        for _ in 0..5000 {
            // Some are larger than all classes.
            let magnitude = random.below(17);
            let size = 1 + random.below(1 << magnitude);
            if let Some(index) = index_of(size) {
                expected[index].0 += 1;
            }
            live.push(block::<A>(size));
        }
        random.shuffle(&mut live);
        let rest = live.split_off(3000);
        for block in live {
            if let Some(index) = index_of(block.layout().size()) {
                expected[index].1 += 1;
            }
            block.free();
        }
        let stats = A::stats();
        for (index, &(allocations, frees)) in expected.iter().enumerate() {
            let class = stats.class(index);
            assert_eq!(
                (class.allocations, class.frees),
                (allocations, frees),
                "class {index}"
            );
        }
        // Those that another thread frees count in the same place.
        let before: u64 = (0..classes.len())
            .map(|index| stats.class(index).frees)
            .sum();
        let small = rest
            .iter()
            .filter(|block| index_of(block.layout().size()).is_some());
        let more = small.count() as u64;
        Worker::start().run(|| rest.into_iter().for_each(Block::free));
        let stats = A::stats();
        let after: u64 = (0..classes.len())
            .map(|index| stats.class(index).frees)
            .sum();
        assert_eq!(after, before + more);
        assert_eq!((stats.allocations, stats.frees), (5000, 5000));
        assert_eq!(stats.class(classes.len()), stats.class(usize::MAX));
    }
    check::<Histogram>();
    check::<HistogramByPointer>();
}

every_configuration!(only_a_histogram_counts_by_class);

fn only_a_histogram_counts_by_class<A: Subject>() {
    block::<A>(8).free();
    let level = A::CHOICES.stats;
    let stats = A::stats();
    assert_eq!(stats.allocations > 0, level != StatsLevel::Off);
    assert_eq!(
        stats.class(0).allocations > 0,
        level == StatsLevel::Histogram
    );
    // What is behind what was asked for is a canary's, where there is one.
    if !A::CHOICES.hardening.canaries {
        assert_eq!(
            A::usable_size(layout(8, 1)),
            A::CHOICES.classes().next().unwrap().block_bytes
        );
    }
}
