//! Heaps are visited, swept and purged by other threads while their own threads work, sleep and
//! end, all types at once in one arena.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use allocator_tests::block::Block;
use allocator_tests::configurations::{
    Balanced, CacheOfFour, CacheOfOne, Checked, Compact, EverythingKept, NothingKept, Seed,
};
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::Subject;

/// Rounds of an owner.
const ROUNDS: usize = if cfg!(debug_assertions) { 60 } else { 300 };

/// Allocates pages full of blocks, frees some itself and has the others freed, and is away now
/// and then, so that a visitor may come in.
fn own<A: Subject>(mut random: Random, to_free: &Sender<Vec<Block<A>>>) {
    let mut kept: Vec<Block<A>> = Vec::new();
    for round in 0..ROUNDS {
        let size = [16, 100, 500, 3000, 20_000, 100_000][random.below(6)];
        let count = 1 + random.below((400_000 / size).min(3000));
        let zeroed = random.below(4) == 0;
        kept.extend(
            (0..count).map(|_| Block::new(size, 8, zeroed, random.next()).expect("memory")),
        );
        random.shuffle(&mut kept);
        let others = kept.split_off(kept.len() / 2);
        to_free.send(others).expect("the other end is open");
        kept.drain(kept.len() / 2..).for_each(Block::free);
        match random.below(8) {
            0 => thread::sleep(Duration::from_millis(1)),
            1 => A::purge(),
            2 => A::check(),
            // Its heap goes to another thread.
            3 if round % 4 == 0 => {
                let mine = std::mem::take(&mut kept);
                let (other, to_free) = (Random::new(random.next()), to_free.clone());
                thread::spawn(move || short::<A>(other, mine, &to_free))
                    .join()
                    .expect("no fault");
            }
            _ => {}
        }
    }
    kept.into_iter().for_each(Block::free);
}

/// A thread that ends with live blocks and leaves others of its own.
fn short<A: Subject>(mut random: Random, theirs: Vec<Block<A>>, to_free: &Sender<Vec<Block<A>>>) {
    let mine = (0..500).map(|_| Block::new(200, 8, false, random.next()).expect("memory"));
    to_free.send(mine.collect()).expect("the other end is open");
    theirs.into_iter().for_each(Block::free);
}

fn work<A: Subject>(mut random: Random) {
    let (to_free, freed): (Sender<Vec<Block<A>>>, Receiver<_>) = channel();
    // Joined one by one: a scope does not wait for what a thread does at its very end.
    let owners = [(); 2].map(|()| {
        let (random, to_free) = (Random::new(random.next()), to_free.clone());
        thread::spawn(move || own::<A>(random, &to_free))
    });
    drop(to_free);
    let other = thread::spawn(|| freed.into_iter().flatten().for_each(Block::free));
    for thread in owners.into_iter().chain([other]) {
        thread.join().expect("no fault");
    }
}

/// Gives back what is free, over and over, and reads what is counted.
fn visit(until: &AtomicBool) {
    while !until.load(Ordering::Relaxed) {
        Balanced::purge();
        let stats = Balanced::stats();
        assert!(stats.frees <= stats.allocations + (1 << 20));
        thread::yield_now();
    }
}

#[test]
fn visitors_take_nothing_that_is_in_use() {
    let mut random = Random::new(seed_of("visitors_take_nothing_that_is_in_use"));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let visitors = [(); 2].map(|()| scope.spawn(|| visit(&done)));
        let workers = [
            work::<Balanced>,
            work::<CacheOfFour>,
            work::<CacheOfOne>,
            work::<Compact>,
            work::<EverythingKept>,
            work::<NothingKept>,
            work::<Seed>,
            work::<Checked>,
        ]
        .map(|work| {
            let random = Random::new(random.next());
            scope.spawn(move || work(random))
        });
        let outcomes = workers.map(|worker| worker.join());
        done.store(true, Ordering::Relaxed);
        for outcome in outcomes
            .into_iter()
            .chain(visitors.map(|visitor| visitor.join()))
        {
            outcome.expect("no fault");
        }
    });
    all_is_free::<Balanced>();
    all_is_free::<CacheOfFour>();
    all_is_free::<CacheOfOne>();
    all_is_free::<Compact>();
    all_is_free::<EverythingKept>();
    all_is_free::<NothingKept>();
    all_is_free::<Seed>();
    all_is_free::<Checked>();
}

fn all_is_free<A: Subject>() {
    A::purge();
    A::check();
    let (stats, name) = (A::stats(), A::CHOICES.name);
    assert_eq!(stats.allocations, stats.frees, "{name}");
    assert_eq!(stats.held_bytes, 0, "{name}");
}
