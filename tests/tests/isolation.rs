//! Isolation: addresses that blocks of an isolated type have had serve no other type.

use std::collections::BTreeSet;
use std::ptr::NonNull;
use std::thread;

use allocator_core::derive_allocator;
use allocator_tests::process::alone;
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

/// Keeps secrets in blocks.
#[derive_allocator(hardening(isolate), purge = now, retire_cycles = 0)]
struct Isolated;

/// Another such.
#[derive_allocator(hardening(isolate, guards), purge = now, retire_cycles = 0)]
struct IsolatedToo;

/// Shares what it has.
#[derive_allocator(purge = now, retire_cycles = 0)]
struct Shared;

/// Shares what it has, too.
#[derive_allocator(preset = stock, purge = now, retire_cycles = 0)]
struct SharedToo;

subjects!(Isolated, IsolatedToo, Shared, SharedToo);

/// Sizes of small, medium, large and huge blocks.
const SIZES: [usize; 5] = [48, 3000, 20_000, 400_000, 17 << 20];

/// Blocks at a time, so that whole pages come and go.
const BLOCKS: usize = 40;

fn allocate_all<A: Subject>(size: usize) -> Vec<NonNull<u8>> {
    let allocate = |_| A::allocate(layout(size, 8)).expect("memory");
    (0..BLOCKS).map(allocate).collect()
}

fn free_all<A: Subject>(blocks: Vec<NonNull<u8>>, size: usize) {
    for block in blocks {
        // SAFETY: live, of this layout.
        unsafe { A::deallocate(block, layout(size, 8)) };
    }
    A::purge();
}

/// Whether memory of a block of `A` that has been freed is one of `B`'s after a while: that is what a
/// dangling pointer of `A`'s would then be used to change.
fn is_reused<A: Subject, B: Subject>(size: usize) -> bool {
    for _ in 0..20 {
        let victims = allocate_all::<A>(size);
        let dangling: BTreeSet<usize> = victims.iter().map(|block| block.addr().get()).collect();
        free_all::<A>(victims, size);
        let attackers = allocate_all::<B>(size);
        let reused = attackers.iter().any(|block| {
            let range = block.addr().get()..block.addr().get() + size;
            dangling.range(range).next().is_some()
        });
        free_all::<B>(attackers, size);
        if reused {
            return true;
        }
    }
    false
}

/// The attack, where nothing stops it: what a freed block held becomes another type's, and the dangling
/// pointer writes there.
#[test]
fn without_isolation_a_dangling_pointer_reaches_another_types_block() {
    let _alone = alone();
    for size in [48, 3000, 20_000, 400_000] {
        assert!(is_reused::<Shared, SharedToo>(size), "{size}");
    }
    let victim = Shared.allocate(layout(400_000, 8)).expect("memory");
    // SAFETY: live, of this layout.
    unsafe { Shared.deallocate(victim, layout(400_000, 8)) };
    let secret = SharedToo.allocate(layout(400_000, 8)).expect("memory");
    // SAFETY: the new block's own bytes, by the old pointer: that they are the same is the attack.
    unsafe {
        secret.write(1);
        assert_eq!(secret, victim);
        victim.write(2);
        assert_eq!(secret.read(), 2);
        SharedToo.deallocate(secret, layout(400_000, 8));
    }
}

#[test]
fn with_isolation_the_address_is_never_another_types() {
    let _alone = alone();
    for size in SIZES {
        assert!(!is_reused::<Isolated, Shared>(size), "{size}");
        assert!(!is_reused::<Shared, Isolated>(size), "{size}");
        assert!(!is_reused::<Isolated, IsolatedToo>(size), "{size}");
        assert!(!is_reused::<IsolatedToo, Isolated>(size), "{size}");
        assert!(!is_reused::<IsolatedToo, Shared>(size), "{size}");
    }
}

#[test]
fn an_isolated_type_reuses_its_own_memory() {
    let _alone = alone();
    for size in [48, 3000, 20_000, 400_000] {
        assert!(is_reused::<Isolated, Isolated>(size), "{size}");
    }
}

/// Blocks of all sizes, of types that take turns on several threads, and where the huge ones moved to.
#[test]
fn no_address_serves_two_types_over_a_long_mixed_run() {
    let _alone = alone();
    const GRAIN: usize = 4096;
    fn addresses<A: Subject>(round: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut note = |block: NonNull<u8>, bytes: usize| {
            seen.extend(block.addr().get() / GRAIN..=(block.addr().get() + bytes - 1) / GRAIN);
        };
        for size in SIZES {
            let mut blocks = allocate_all::<A>(size + round);
            blocks.truncate(BLOCKS);
            for block in &mut blocks {
                note(*block, size + round);
                let grown = size * 2;
                // SAFETY: live, of this layout; resized back, for the free.
                *block = unsafe {
                    let moved = A::reallocate(*block, layout(size + round, 8), grown);
                    let moved = moved.expect("memory");
                    note(moved, grown);
                    A::reallocate(moved, layout(grown, 8), size + round).expect("less")
                };
                note(*block, size + round);
            }
            free_all::<A>(blocks, size + round);
        }
        seen
    }
    let mut isolated = BTreeSet::new();
    let mut isolated_too = BTreeSet::new();
    let mut shared = BTreeSet::new();
    // Each notes a million OS pages, which takes seconds unoptimised.
    for round in 0..if cfg!(debug_assertions) { 2 } else { 6 } {
        thread::scope(|scope| {
            let first = scope.spawn(move || addresses::<Isolated>(round));
            let second = scope.spawn(move || addresses::<IsolatedToo>(round));
            let third = scope.spawn(move || addresses::<Shared>(round));
            isolated.extend(first.join().expect("the thread ends well"));
            isolated_too.extend(second.join().expect("the thread ends well"));
            shared.extend(third.join().expect("the thread ends well"));
        });
    }
    assert!(isolated.is_disjoint(&isolated_too));
    assert!(isolated.is_disjoint(&shared));
    assert!(isolated_too.is_disjoint(&shared));
}
