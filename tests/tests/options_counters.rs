//! Each option of the fast path acts, and a counter proves it: the four optimisations of the
//! seed, each alone against `stock`, and the cache.
//!
//! Every test runs on types of its own, so that what is counted is its alone.

use allocator_core::{Stats, derive_allocator};
use allocator_tests::block::Block;
use allocator_tests::crew::Worker;
use allocator_tests::random::Random;
use allocator_tests::subject::Subject;
use allocator_tests::subjects;

/// What was counted of `A` while `act` ran.
fn counted<A: Subject>(act: impl FnOnce()) -> Stats {
    let before = A::stats();
    act();
    let mut during = A::stats();
    during.allocations -= before.allocations;
    during.frees -= before.frees;
    during.remote_frees -= before.remote_frees;
    during.refills -= before.refills;
    during.flushes -= before.flushes;
    during.extensions -= before.extensions;
    during.collects -= before.collects;
    during.collects_skipped -= before.collects_skipped;
    during.thread_free_loads -= before.thread_free_loads;
    during.pages_made -= before.pages_made;
    during.pages_retired -= before.pages_retired;
    during
}

fn allocate<A: Subject>(size: usize, count: usize) -> Vec<Block<A>> {
    let block = |cookie| Block::new(size, 8, false, cookie).expect("memory");
    (0..count as u64).map(block).collect()
}

fn free<A: Subject>(blocks: impl IntoIterator<Item = Block<A>>) {
    blocks.into_iter().for_each(Block::free);
}

// Larger extend batches. Stock has no 8-byte class: all of these have the series of 8.

#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    stats = counters,
)]
struct ExtendStock;

#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = half_remaining,
    stats = counters,
)]
struct ExtendHalf;

#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = batch(16KiB),
    stats = counters,
)]
struct ExtendBatch;

#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = all,
    stats = counters,
)]
struct ExtendAll;

subjects!(ExtendStock, ExtendHalf, ExtendBatch, ExtendAll);

#[test]
fn half_remaining_extends_an_8_byte_block_page_5_times_instead_of_16() {
    const PAGE_BLOCKS: usize = (64 << 10) / 8;
    /// Extensions until three quarters of a page are allocated, and until all of it is.
    fn extensions<A: Subject>() -> (u64, u64) {
        const SIZE: usize = 8;
        let mut blocks = Vec::new();
        let most = counted::<A>(|| blocks = allocate::<A>(SIZE, PAGE_BLOCKS / 4 * 3));
        let rest = counted::<A>(|| blocks.extend(allocate::<A>(SIZE, PAGE_BLOCKS / 4)));
        assert_eq!((most.pages_made, rest.pages_made), (1, 0), "one page");
        free::<A>(blocks);
        (most.extensions, most.extensions + rest.extensions)
    }
    let figures = [
        ("stock", extensions::<ExtendStock>(), (12, 16)),
        ("half_remaining", extensions::<ExtendHalf>(), (2, 5)),
        // The first of a class is 4 KiB, the others 16.
        ("batch(16KiB)", extensions::<ExtendBatch>(), (4, 5)),
        ("all", extensions::<ExtendAll>(), (1, 1)),
    ];
    for (policy, counted, expected) in figures {
        println!("extensions to 3/4 and all of an 8-byte-block page, {policy}: {counted:?}");
        assert_eq!(counted, expected, "{policy}");
    }
}

#[test]
fn a_page_keeps_what_was_extended_when_its_blocks_are_freed() {
    const SIZE: usize = 8;
    let blocks = allocate::<ExtendStock2>(SIZE, 6000);
    free::<ExtendStock2>(blocks);
    let again = counted::<ExtendStock2>(|| {
        let blocks = allocate::<ExtendStock2>(SIZE, 6000);
        free::<ExtendStock2>(blocks);
    });
    assert_eq!((again.extensions, again.pages_made), (0, 0));
}

#[derive_allocator(
    preset = stock,
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    stats = counters,
)]
struct ExtendStock2;
subjects!(ExtendStock2);

// Local before remote.

#[derive_allocator(preset = stock, stats = counters)]
struct RemoteFirst;

#[derive_allocator(preset = stock, fast_path(local_first), stats = counters)]
struct LocalFirst;

subjects!(RemoteFirst, LocalFirst);

/// Fills pages and frees parts of them, over and over: many collects.
fn churn<A: Subject>(random: &mut Random) {
    let mut blocks = allocate::<A>(64, 5000);
    for _ in 0..20 {
        random.shuffle(&mut blocks);
        free::<A>(blocks.drain(2000..));
        blocks.extend(allocate::<A>(64, 3000));
    }
    free::<A>(blocks);
}

#[test]
fn local_first_never_loads_thread_free_when_nobody_frees_remotely() {
    let stock = counted::<RemoteFirst>(|| churn::<RemoteFirst>(&mut Random::new(1)));
    let local = counted::<LocalFirst>(|| churn::<LocalFirst>(&mut Random::new(1)));
    println!(
        "collects and loads of thread_free: stock {} and {}, local_first {} and {}",
        stock.collects, stock.thread_free_loads, local.collects, local.thread_free_loads
    );
    assert!(local.collects > 100 && stock.collects > 100);
    assert_eq!(stock.thread_free_loads, stock.collects);
    assert_eq!(local.thread_free_loads, 0);
    assert_eq!((stock.remote_frees, local.remote_frees), (0, 0));
}

#[test]
fn local_first_still_finds_what_others_freed() {
    const SIZE: usize = 64;
    // 1024 blocks to a page of 64 KiB.
    let blocks = allocate::<LocalFirst2>(SIZE, 8 * 1024);
    let other = Worker::start();
    let remote = counted::<LocalFirst2>(|| {
        other.run(move || free::<LocalFirst2>(blocks));
    });
    assert_eq!(remote.remote_frees, 8 * 1024);
    let again = counted::<LocalFirst2>(|| {
        // The other's last run of blocks is still in its hands.
        let blocks = allocate::<LocalFirst2>(SIZE, 7 * 1024);
        free::<LocalFirst2>(blocks);
    });
    // Pages that are all free again may go; what is held never grows.
    assert!(again.pages_made <= again.pages_retired);
}

#[derive_allocator(preset = stock, fast_path(local_first), stats = counters)]
struct LocalFirst2;
subjects!(LocalFirst2);

// Longer retire. Without purging, which ends it after its delay.

#[derive_allocator(preset = stock, retire_cycles = 0, purge = never, stats = counters)]
struct Retire0;

#[derive_allocator(preset = stock, retire_cycles = 16, purge = never, stats = counters)]
struct Retire16;

#[derive_allocator(preset = stock, retire_cycles(small = 48), purge = never, stats = counters)]
struct Retire48;

subjects!(Retire0, Retire16, Retire48);

#[test]
fn a_longer_retire_keeps_the_page_of_a_burst_over_more_slow_path_cycles() {
    const BURSTS: u64 = 20;
    /// Pages retired by bursts that are `pause` slow-path cycles apart.
    fn retired<A: Subject>(pause: u64) -> u64 {
        let (burst, other) = (48, 64);
        // Nothing is left of the figure before.
        A::purge();
        let mut stays = Vec::new();
        let during = counted::<A>(|| {
            for _ in 0..BURSTS {
                let blocks = allocate::<A>(burst, 1000);
                free::<A>(blocks);
                // Another class leaves the fast path now and then, and keeps what it gets.
                let until = A::stats().refills + pause;
                while A::stats().refills < until {
                    stays.extend(allocate::<A>(other, 1));
                }
            }
        });
        free::<A>(stays);
        during.pages_retired
    }
    let figures = [
        ("0", retired::<Retire0>(30), BURSTS),
        ("16", retired::<Retire16>(30), BURSTS),
        ("48", retired::<Retire48>(30), 0),
    ];
    for (cycles, retired, expected) in figures {
        println!(
            "pages retired in {BURSTS} bursts, 30 cycles apart, retire_cycles = {cycles}: {retired}"
        );
        assert_eq!(retired, expected, "retire_cycles = {cycles}");
    }
    // And closer together.
    assert_eq!(retired::<Retire0>(3), BURSTS);
    assert_eq!(retired::<Retire16>(3), 0);
    assert_eq!(retired::<Retire48>(60), BURSTS);
}

// Skip collect.

#[derive_allocator(preset = stock, stats = counters)]
struct CollectAlways;

#[derive_allocator(preset = stock, fast_path(skip_collect), stats = counters)]
struct SkipCollect;

subjects!(CollectAlways, SkipCollect);

#[test]
fn skip_collect_leaves_collects_out_where_a_page_still_has_a_free_list() {
    fn run<A: Subject>() -> Stats {
        const SIZE: usize = 64;
        let during = counted::<A>(|| {
            // Two full pages; freeing into one of them and the other in turn leaves each with a
            // free list whenever the other is switched to.
            let mut pages = [allocate::<A>(SIZE, 1024), allocate::<A>(SIZE, 1024)];
            for _ in 0..10 {
                let freed = pages.each_mut().map(|page| page.split_off(900));
                for blocks in freed {
                    free::<A>(blocks);
                }
                for page in &mut pages {
                    page.extend(allocate::<A>(SIZE, 124));
                }
            }
            free::<A>(pages.into_iter().flatten());
        });
        assert_eq!(during.pages_made, 2, "two pages are enough");
        during
    }
    let (always, skips) = (run::<CollectAlways>(), run::<SkipCollect>());
    println!(
        "collects and collects skipped: stock {} and {}, skip_collect {} and {}",
        always.collects, always.collects_skipped, skips.collects, skips.collects_skipped
    );
    assert_eq!(always.collects_skipped, 0);
    assert!(skips.collects_skipped >= 10);
    assert_eq!(always.collects, skips.collects + skips.collects_skipped);
}

// The cache.

#[derive_allocator(fast_path(cache = off), stats = counters)]
struct NoCache;

#[derive_allocator(fast_path(cache = 4), stats = counters)]
struct SmallCache;

#[derive_allocator(fast_path(cache = 64), stats = counters)]
struct Cache;

subjects!(NoCache, SmallCache, Cache);

#[test]
fn a_cache_takes_random_replacement_off_the_slow_path() {
    /// Slow-path visits of random replacement among 20,000 blocks, 80 at a time.
    fn run<A: Subject>() -> Stats {
        let mut blocks = allocate::<A>(48, 20_000);
        let mut random = Random::new(7);
        let during = counted::<A>(|| {
            for _ in 0..1000 {
                for _ in 0..80 {
                    blocks.swap_remove(random.below(blocks.len())).free();
                }
                blocks.extend(allocate::<A>(48, 80));
            }
        });
        A::check();
        free::<A>(blocks);
        during
    }
    let (none, small, large) = (run::<NoCache>(), run::<SmallCache>(), run::<Cache>());
    for (cache, stats) in [("off", none), ("4", small), ("64", large)] {
        println!(
            "80,000 random replacements, cache = {cache}: {} refills, {} flushes",
            stats.refills, stats.flushes
        );
    }
    assert_eq!(none.flushes, 0);
    assert!(small.flushes > 0 && large.flushes > 0);
    assert!(large.refills < none.refills && large.refills < small.refills);
    assert!(large.flushes < small.flushes);
}
