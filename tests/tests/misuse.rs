//! What debug builds find: blocks freed through another type, with another size, twice. They end the
//! process, so each mistake is made in one of its own.

use std::os::unix::process::ExitStatusExt;

use allocator_core::derive_allocator;
use allocator_tests::child;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::subjects;

#[derive_allocator]
struct First;

#[derive_allocator(preset = stock)]
struct Second;

subjects!(First, Second);

/// Allocates by one type and frees by another.
fn confuse<A: Subject, B: Subject>(size: usize) {
    let block = A::allocate(layout(size, 8)).expect("memory");
    // Makes the other a type that has blocks of the kind, too.
    let other = B::allocate(layout(size, 8)).expect("memory");
    // SAFETY: not a block of this type: that is what debug builds are to find. They abort.
    unsafe {
        B::deallocate(block, layout(size, 8));
        B::deallocate(other, layout(size, 8));
    }
}

/// Allocates by one type and shrinks by another, where that moves nothing.
fn confuse_shrinking<A: Subject, B: Subject>(size: usize) {
    let block = A::allocate(layout(size, 8)).expect("memory");
    // SAFETY: as in confuse().
    let _ = unsafe { B::reallocate(block, layout(size, 8), size - 8) };
}

/// Allocates with one size and frees with another.
fn confuse_sizes<A: Subject>(size: usize, other: usize) {
    let block = A::allocate(layout(size, 8)).expect("memory");
    // SAFETY: not the block's layout: that is what debug builds are to find. They abort.
    unsafe { A::deallocate(block, layout(other, 8)) };
}

fn free_twice<A: Subject>(size: usize) {
    let block = A::allocate(layout(size, 8)).expect("memory");
    // SAFETY: the second time is what debug builds are to find. They abort.
    unsafe {
        A::deallocate(block, layout(size, 8));
        A::deallocate(block, layout(size, 8));
    }
}

fn free_inside<A: Subject>(size: usize) {
    let block = A::allocate(layout(size, 8)).expect("memory");
    // SAFETY: no block's start: that is what debug builds are to find. They abort.
    unsafe { A::deallocate(block.add(8), layout(size, 8)) };
}

fn free_foreign<A: Subject>(size: usize) {
    let mut word = 0_u64;
    // SAFETY: no block at all: that is what debug builds are to find. They abort.
    unsafe { A::deallocate(std::ptr::NonNull::from(&mut word).cast(), layout(size, 8)) };
}

/// Debug builds end the process, and say why and of which type.
macro_rules! found {
    ($($name:ident: $mistake:expr, $message:literal;)*) => { $(
        #[test]
        #[cfg_attr(not(debug_assertions), ignore = "debug builds only")]
        fn $name() {
            let name = stringify!($name);
            if child::is_child_of(name) {
                $mistake;
                return;
            }
            let output = child::run_again(name);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{said}");
            assert!(said.contains("`Second`"), "the type is named: {said}");
            assert!(said.contains($message), "{said}");
        }
    )* };
}

found! {
    a_small_block_freed_through_another_type_is_found:
        confuse::<First, Second>(40), "of another allocator type";
    a_medium_block_freed_through_another_type_is_found:
        confuse::<First, Second>(20_000), "of another allocator type";
    a_large_block_freed_through_another_type_is_found:
        confuse::<First, Second>(1_000_000), "of another allocator type";
    a_huge_block_freed_through_another_type_is_found:
        confuse::<First, Second>(20_000_000), "of another allocator type";
    a_small_block_shrunk_through_another_type_is_found:
        confuse_shrinking::<First, Second>(40), "of another allocator type";
    a_large_block_shrunk_through_another_type_is_found:
        confuse_shrinking::<First, Second>(1_000_000), "of another allocator type";
    a_huge_block_shrunk_through_another_type_is_found:
        confuse_shrinking::<First, Second>(20_000_000), "of another allocator type";
    a_huge_block_freed_with_a_small_layout_is_found:
        confuse_sizes::<Second>(20_000_000, 40), "a layout of another class";
    a_huge_block_freed_with_a_large_layout_is_found:
        confuse_sizes::<Second>(20_000_000, 1_000_000), "a layout of another class";
    a_small_block_freed_with_a_huge_layout_is_found:
        confuse_sizes::<Second>(40, 20_000_000), "a layout of another class";
    a_small_block_freed_with_a_medium_layout_is_found:
        confuse_sizes::<Second>(40, 20_000), "a layout of another class";
    a_large_block_freed_with_another_large_layout_is_found:
        confuse_sizes::<Second>(1_000_000, 2_000_000), "a layout of another class";
    a_pointer_into_a_block_is_found:
        free_inside::<Second>(40), "free of what is no block's start";
    a_foreign_pointer_is_found:
        free_foreign::<Second>(40), "free of what is not of this allocator";
    a_large_block_freed_twice_is_found:
        free_twice::<Second>(1_000_000), "double free";
    a_huge_block_freed_twice_is_found:
        free_twice::<Second>(20_000_000), "double free";
}

/// More huge blocks than debug builds can keep track of, moved and freed in another order.
#[test]
fn many_huge_blocks_are_not_mistaken() {
    const SIZE: usize = 17 << 20;
    let mut blocks: Vec<_> = (0..5000)
        .map(|_| First.allocate(layout(SIZE, 8)).expect("addresses"))
        .collect();
    for block in blocks.iter_mut().step_by(3) {
        // SAFETY: live, of this layout; back to it, for what follows.
        *block = unsafe {
            let grown = First.reallocate(*block, layout(SIZE, 8), 2 * SIZE);
            let grown = grown.expect("addresses");
            First
                .reallocate(grown, layout(2 * SIZE, 8), SIZE)
                .expect("less")
        };
    }
    Random::new(seed_of("many_huge_blocks")).shuffle(&mut blocks);
    for block in blocks {
        // SAFETY: live, of this layout.
        unsafe { First.deallocate(block, layout(SIZE, 8)) };
    }
}
