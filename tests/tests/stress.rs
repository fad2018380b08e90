//! 32 threads × 50 iterations with a cookie in every block, and blocks that other threads free,
//! over configurations that differ in every mechanism a block passes through.

use std::sync::Mutex;
use std::thread;

use allocator_tests::block::Block;
use allocator_tests::configurations::{
    Balanced, CacheOfFour, CacheOfOne, Checked, CheckedOdd, Compact, Default, EverythingKept,
    FlagsOff, NothingKept, OddClasses, Seed, Signed, Stock, Throughput,
};
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::Subject;

const THREADS: usize = 32;
const ITERATIONS: usize = 50;
/// Iterations that a thread lives: in between, all its heaps are abandoned and adopted.
const ITERATIONS_PER_LIFE: usize = 5;
/// Operations of one thread in one iteration; with assertions each takes ten times as long.
const OPERATIONS: usize = if cfg!(debug_assertions) { 30 } else { 100 };
/// Places where threads leave blocks for each other.
const EXCHANGES: usize = 512;
/// Live blocks of one size per thread, and how many of them one iteration replaces.
const CROWD: usize = 300;
const CROWD_REPLACED: usize = if cfg!(debug_assertions) { 40 } else { 120 };
/// Blocks that a thread keeps for itself at most.
const KEPT_MAX: usize = 100;

type Exchange<A> = Mutex<Option<Block<A>>>;

/// Mostly small, sometimes a page's worth, rarely whole slices.
fn some_size(random: &mut Random) -> usize {
    match random.below(1000) {
        0 => random.below(1 << 20),
        1..20 => random.below(64 << 10),
        20..100 => random.below(4 << 10),
        100..200 => 48,
        _ => random.below(512),
    }
}

fn some_block<A: Subject>(random: &mut Random) -> Block<A> {
    let align = if random.below(20) == 0 {
        1 << random.below(13)
    } else {
        1 << random.below(4)
    };
    Block::new(
        some_size(random),
        align,
        random.below(8) == 0,
        random.next(),
    )
    .expect("there is memory")
}

fn block_of<A: Subject>(size: usize, random: &mut Random) -> Block<A> {
    Block::new(size, 8, false, random.next()).expect("there is memory")
}

/// What a thread does between its start and its end.
fn live<A: Subject>(exchanges: &[Exchange<A>], mut random: Random) {
    let mut kept = Vec::new();
    // Many live blocks of one size, replaced at random: pages that are all nearly full.
    let crowd_bytes = 256 + random.below(512);
    let mut crowd: Vec<Block<A>> = (0..CROWD)
        .map(|_| block_of(crowd_bytes, &mut random))
        .collect();
    for _ in 0..ITERATIONS_PER_LIFE {
        for _ in 0..CROWD_REPLACED {
            let index = random.below(CROWD);
            let mine = block_of(crowd_bytes, &mut random);
            let old = std::mem::replace(&mut crowd[index], mine);
            match &mut *exchanges[random.below(EXCHANGES)].lock().unwrap() {
                empty @ None => *empty = Some(old),
                Some(_) => old.free(),
            }
        }
        for _ in 0..OPERATIONS {
            match random.below(100) {
                // A block that another thread may have allocated, against one that it may free.
                0..30 => {
                    let place = &exchanges[random.below(EXCHANGES)];
                    let mine = Some(some_block::<A>(&mut random));
                    let theirs = std::mem::replace(&mut *place.lock().unwrap(), mine);
                    if let Some(theirs) = theirs {
                        if random.below(4) == 0 {
                            kept.push(theirs);
                        } else {
                            theirs.free();
                        }
                    }
                }
                30..70 => kept.push(some_block(&mut random)),
                70..78 if !kept.is_empty() => {
                    let index = random.below(kept.len());
                    let size = some_size(&mut random);
                    assert!(kept[index].reallocate(size), "there is memory");
                }
                _ => {}
            }
            while kept.len() > random.below(KEPT_MAX) {
                let index = random.below(kept.len());
                kept.swap_remove(index).free();
            }
        }
        // A burst, freed in any order: pages fill up and empty.
        let (size, count) = (some_size(&mut random).min(1024), 1 + random.below(60));
        let mut burst: Vec<Block<A>> = (0..count).map(|_| block_of(size, &mut random)).collect();
        random.shuffle(&mut burst);
        burst.into_iter().for_each(Block::free);
    }
    random.shuffle(&mut crowd);
    crowd.into_iter().for_each(Block::free);
    A::check();
    // What is left is passed on as far as there is a free place.
    for block in kept {
        let place = &exchanges[random.below(EXCHANGES)];
        match &mut *place.lock().unwrap() {
            empty @ None => *empty = Some(block),
            Some(_) => block.free(),
        }
    }
}

fn stress<A: Subject>() {
    let mut random = Random::new(seed_of(&format!("stress of {}", A::CHOICES.name)));
    let exchanges: Vec<Exchange<A>> = (0..EXCHANGES).map(|_| Mutex::new(None)).collect();
    for _ in 0..ITERATIONS / ITERATIONS_PER_LIFE {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (exchanges, random) = (&exchanges, Random::new(random.next()));
                    scope.spawn(move || live::<A>(exchanges, random))
                })
                .collect();
            // The scope alone does not wait for what runs at a thread's end.
            for thread in threads {
                thread.join().expect("the thread found no fault");
            }
        });
    }
    // By a thread without a heap.
    for place in exchanges {
        if let Some(block) = place.into_inner().unwrap() {
            block.free();
        }
    }
    A::purge();
    A::check();
    if A::counts() {
        let stats = A::stats();
        assert_eq!(stats.allocations, stats.frees);
        assert!(stats.remote_frees > 1000, "blocks were freed by others");
        assert!(stats.pages_abandoned > 0, "threads left pages behind");
        assert!(stats.pages_adopted > 0, "threads took such pages over");
        // In larger pages the crowd leaves too much room for that.
        if A::CHOICES.cache_blocks_for(256) >= 4 && A::CHOICES.page_bytes == 64 << 10 {
            assert!(stats.flushes > 0, "caches filled up: {stats:?}");
        }
        assert_eq!(stats.held_bytes, 0, "all memory came back: {stats:?}");
    }
}

macro_rules! stresses {
    ($($test:ident: $subject:ident),* $(,)?) => { $(
        #[test]
        fn $test() {
            stress::<$subject>();
        }
    )* };
}

stresses! {
    thirty_two_threads_exchange_blocks_as_it_comes: Default,
    thirty_two_threads_exchange_blocks_balanced: Balanced,
    thirty_two_threads_exchange_blocks_stock: Stock,
    thirty_two_threads_exchange_blocks_seed: Seed,
    thirty_two_threads_exchange_blocks_throughput: Throughput,
    thirty_two_threads_exchange_blocks_compact: Compact,
    thirty_two_threads_exchange_blocks_with_odd_classes: OddClasses,
    thirty_two_threads_exchange_blocks_with_a_cache_of_one_behind_a_pointer: CacheOfOne,
    thirty_two_threads_exchange_blocks_with_a_cache_of_four_behind_a_pointer: CacheOfFour,
    thirty_two_threads_exchange_blocks_when_nothing_is_kept: NothingKept,
    thirty_two_threads_exchange_blocks_when_everything_is_kept: EverythingKept,
    thirty_two_threads_exchange_blocks_with_all_flags_off: FlagsOff,
    thirty_two_threads_exchange_checked_blocks: Checked,
    thirty_two_threads_exchange_checked_blocks_of_odd_classes: CheckedOdd,
    thirty_two_threads_exchange_signed_blocks: Signed,
}
