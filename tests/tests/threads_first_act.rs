//! The first thing that a thread does with a type may be any of its functions: in the type's first
//! thread of all, and in one that is handed a block of another thread.

use std::alloc::Layout;
use std::thread;

use allocator_core::derive_allocator;
use allocator_tests::block::Block;
use allocator_tests::crew::Worker;
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

/// What the thread does with the block that it is handed, if it is handed one.
type Act<A> = fn(Option<Block<A>>);

fn first_act<A: Subject>(act: Act<A>) {
    thread::spawn(move || act(None))
        .join()
        .expect("the thread ends");
    let owner = Worker::start();
    for size in [48, 5000, 100_000, 20 << 20] {
        let block = owner.run(move || Block::<A>::new(size, 8, false, 5));
        thread::spawn(move || {
            act(block);
            allocate_and_free::<A>(size, 16, true);
            A::check();
        })
        .join()
        .expect("the thread ends");
    }
    drop(owner);
    A::purge();
    let stats = A::stats();
    assert_eq!(stats.allocations, stats.frees);
    assert_eq!(stats.held_bytes, 0, "{stats:?}");
}

fn allocate_and_free<A: Subject>(size: usize, align: usize, zeroed: bool) {
    Block::<A>::new(size, align, zeroed, 1)
        .expect("there is memory")
        .free();
}

fn free<A: Subject>(block: Option<Block<A>>) {
    if let Some(block) = block {
        block.free();
    }
}

fn reallocate<A: Subject>(block: Option<Block<A>>, size: impl Fn(usize) -> usize) {
    if let Some(mut block) = block {
        assert!(block.reallocate(size(block.layout().size())));
        block.free();
    }
}

/// One test per act, on two types that nobody else uses.
macro_rules! first_acts {
    ($($test:ident: $act:expr;)*) => { $(
        #[test]
        fn $test() {
            #[derive_allocator(stats = counters)]
            struct Inline;
            #[derive_allocator(stats = counters, tls = pointer)]
            struct Pointer;
            subjects!(Inline, Pointer);
            let act: Act<Inline> = $act;
            first_act(act);
            let act: Act<Pointer> = $act;
            first_act(act);
        }
    )* };
}

first_acts! {
    a_thread_may_allocate_first: |block| {
        allocate(&block, 10, 1, false);
        free(block);
    };
    a_thread_may_allocate_zeroed_first: |block| {
        allocate(&block, 10, 1, true);
        free(block);
    };
    a_thread_may_allocate_a_large_block_first: |block| {
        allocate(&block, 1 << 20, 1, false);
        free(block);
    };
    a_thread_may_allocate_a_huge_block_first: |block| {
        allocate(&block, 1 << 26, 1, false);
        free(block);
    };
    a_thread_may_allocate_an_aligned_block_first: |block| {
        allocate(&block, 10, 1 << 20, false);
        free(block);
    };
    a_thread_may_free_first: free;
    a_thread_may_grow_first: |block| reallocate(block, |size| size * 3);
    a_thread_may_shrink_first: |block| reallocate(block, |_| 7);
    a_thread_may_purge_first: |block| {
        purge(&block);
        free(block);
    };
    a_thread_may_look_first: |block| {
        look(&block);
        free(block);
    };
    a_thread_may_ask_for_the_impossible_first: |block| {
        ask_for_the_impossible(&block);
        free(block);
    };
}

// What follows takes the block for its type only.

fn allocate<A: Subject>(_: &Option<Block<A>>, size: usize, align: usize, zeroed: bool) {
    allocate_and_free::<A>(size, align, zeroed);
}

fn purge<A: Subject>(_: &Option<Block<A>>) {
    A::purge();
}

fn look<A: Subject>(_: &Option<Block<A>>) {
    assert!(A::usable_size(layout(100, 8)) >= 100);
    assert!(A::stats().allocations >= A::stats().frees);
    assert!(!A::CHOICES.to_string().is_empty());
    A::check();
}

fn ask_for_the_impossible<A: Subject>(_: &Option<Block<A>>) {
    let most = Layout::from_size_align(isize::MAX as usize - 4095, 4096).expect("a layout");
    assert_eq!(A::allocate(most), None);
}
