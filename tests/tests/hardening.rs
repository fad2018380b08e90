//! Each mechanism of `hardening` fires: a process that misuses a block ends by the signal that
//! `on_corruption` says, after one line that names the fault, the block, its class and the type. That
//! programs without misuse run as ever is for the other tests, which run on hardened types, too.

use std::alloc::{GlobalAlloc, System};
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::ptr::NonNull;

use allocator_core::{Corruption, Fault, derive_allocator};
use allocator_tests::child;
use allocator_tests::configurations::{Checked, Default, Located, Signed};
use allocator_tests::misused_block::{
    Block, Ended, allocate, class_bytes, free, free_remote, is_about, read, run, write,
    write_to_what_is_free,
};
use allocator_tests::subject::{Subject, layout};
use allocator_tests::{found, subjects};

#[derive_allocator(hardening = checked, on_corruption = trap)]
struct Trapping;

#[derive_allocator(hardening = checked, on_corruption = hook(ends_the_process))]
struct Ending;

#[derive_allocator(hardening = checked, on_corruption = hook(returns))]
struct Returning;

#[derive_allocator(size_classes = file("most.classes"), hardening = checked)]
struct Most;

subjects!(Trapping, Ending, Returning, Most);

fn ends_the_process(corruption: &Corruption) {
    assert_eq!(corruption.fault, Fault::DoubleFree);
    assert_eq!(corruption.class_bytes, Some(48));
    println!("told: {corruption}");
    std::process::exit(42);
}

fn returns(corruption: &Corruption) {
    println!("told: {corruption}");
}

/// Uses the allocator, so that what is free may be used again.
fn use_memory<A: Subject>() {
    let blocks: Vec<_> = (0..1024).map(|index| index % 64 * 16 + 8).collect();
    let blocks: Vec<_> = blocks
        .iter()
        .map(|&size| (allocate::<A>(size), size))
        .collect();
    for (block, size) in blocks {
        free::<A>(block, size);
    }
}

fn free_twice<A: Subject>(size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    free::<A>(block, size);
    free::<A>(block, size);
}

fn free_here_then_there<A: Subject>(size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    free::<A>(block, size);
    free_remote::<A>(block, size);
}

fn free_there_then_here<A: Subject>(size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    free_remote::<A>(block, size);
    free::<A>(block, size);
}

/// The block waits with others to be sent home when it is freed again.
fn free_twice_there<A: Subject>(size: usize) {
    let (block, other) = (allocate::<A>(size), allocate::<A>(size));
    is_about(block);
    let [block, other] = [block, other].map(|block| block.as_ptr().expose_provenance());
    let freed = std::thread::spawn(move || {
        // A heap of its own, which holds frees back.
        free::<A>(allocate::<A>(size), size);
        for address in [block, other, block] {
            let block = std::ptr::with_exposed_provenance_mut(address);
            free::<A>(NonNull::new(block).expect("a block"), size);
        }
    });
    freed.join().expect("the thread ends, or the process");
}

/// Other blocks of the class and of others are used between the two.
fn free_twice_with_others_between<A: Subject>(size: usize) {
    let blocks = [(); 300].map(|()| allocate::<A>(size));
    is_about(blocks[7]);
    for block in blocks {
        free::<A>(block, size);
    }
    for size in (16..30_000).step_by(500) {
        free::<A>(allocate::<A>(size), size);
    }
    free::<A>(blocks[7], size);
}

/// All of a page is free, and has gone back.
fn free_again_when_the_page_has_gone<A: Subject>(size: usize) {
    let blocks: Vec<_> = (0..4096).map(|_| allocate::<A>(size)).collect();
    is_about(blocks[1000]);
    for block in &blocks {
        free::<A>(*block, size);
    }
    A::purge();
    free::<A>(blocks[1000], size);
}

/// The class's blocks are so scattered that its bin lists those of any pages.
fn scattered<A: Subject>(size: usize) -> Vec<Block> {
    let mut blocks: Vec<_> = (0..20_000).map(|_| allocate::<A>(size)).collect();
    for at in (0..blocks.len()).rev().step_by(8) {
        free::<A>(blocks.swap_remove(at), size);
    }
    for _ in 0..40 {
        blocks.push(allocate::<A>(size));
    }
    blocks
}

fn free_twice_when_scattered<A: Subject>(size: usize) {
    let blocks = scattered::<A>(size);
    is_about(blocks[3000]);
    free::<A>(blocks[3000], size);
    free::<A>(blocks[4000], size);
    free::<A>(blocks[3000], size);
}

fn free_inside<A: Subject>(size: usize, at: usize) {
    let block = allocate::<A>(size);
    // SAFETY: within the block.
    let inside = unsafe { block.add(at) };
    is_about(inside);
    free::<A>(inside, size);
}

fn free_inside_when_scattered<A: Subject>(size: usize) {
    let blocks = scattered::<A>(size);
    // SAFETY: within the block.
    let inside = unsafe { blocks[3000].add(16) };
    is_about(inside);
    free::<A>(inside, size);
}

fn free_inside_there<A: Subject>(size: usize, at: usize) {
    let block = allocate::<A>(size);
    // SAFETY: within the block.
    let inside = unsafe { block.add(at) };
    is_about(inside);
    free_remote::<A>(inside, size);
}

fn free_of_the_stack<A: Subject>(size: usize) {
    use_memory::<A>();
    let mut memory = [0_u64; 64];
    let block = NonNull::from(black_box(&mut memory)).cast();
    is_about(block);
    free::<A>(block, size);
}

fn free_of_a_static<A: Subject>(size: usize) {
    static MEMORY: [u64; 64] = [7; 64];
    use_memory::<A>();
    let block = NonNull::from(black_box(&MEMORY)).cast();
    is_about(block);
    free::<A>(block, size);
}

fn free_of_another_malloc<A: Subject>(size: usize) {
    use_memory::<A>();
    // SAFETY: the size is not 0.
    let block = NonNull::new(unsafe { System.alloc(layout(size, 8)) }).expect("memory");
    is_about(block);
    free::<A>(block, size);
}

fn free_of_another_type<A: Subject, B: Subject>(size: usize) {
    use_memory::<B>();
    let block = allocate::<A>(size);
    is_about(block);
    free::<B>(block, size);
}

fn free_with_another_size<A: Subject>(size: usize, other: usize) {
    let block = allocate::<A>(size);
    free::<A>(allocate::<A>(other), other);
    is_about(block);
    free::<A>(block, other);
}

fn grow_what_is_free<A: Subject>(size: usize, new_size: usize) {
    let block = allocate::<A>(size);
    is_about(block);
    free::<A>(block, size);
    // SAFETY: none: the process ends.
    let grown = unsafe { A::reallocate(black_box(block), layout(size, 8), new_size) };
    black_box(grown);
}

/// The free neighbour's first word is hit.
fn overflow_by_a_byte<A: Subject>(size: usize) {
    let class = class_bytes::<A>(size);
    let [block, next, _] = [(); 3].map(|()| allocate::<A>(size));
    assert_eq!(next.addr().get() - block.addr().get(), class, "neighbours");
    free::<A>(next, size);
    is_about(next);
    let word = read(block, class);
    write(block, class, word ^ 0x5a);
    black_box(allocate::<A>(size));
}

/// The link leads where the attacker wants, the rest is as it was.
fn forge_a_link<A: Subject>(size: usize) {
    let (block, target) = (allocate::<A>(size), allocate::<A>(size));
    free::<A>(block, size);
    is_about(block);
    write(block, 0, target.as_ptr().expose_provenance() as u64);
    black_box(allocate::<A>(size));
}

/// One free block's words in place of another's.
fn replay_a_link<A: Subject>(size: usize) {
    let (block, other) = (allocate::<A>(size), allocate::<A>(size));
    free::<A>(other, size);
    free::<A>(block, size);
    is_about(block);
    write(block, 0, read(other, 0));
    write(block, 8, read(other, 8));
    black_box(allocate::<A>(size));
}

/// A list of many blocks is walked, not popped.
fn write_to_what_waits_in_a_list<A: Subject>(size: usize) {
    let blocks = scattered::<A>(size);
    free::<A>(blocks[3000], size);
    is_about(blocks[3000]);
    write(blocks[3000], 8, 1);
    for block in &blocks[5000..6000] {
        free::<A>(*block, size);
    }
}

found! {
    a_small_block_freed_twice: free_twice::<Checked>(48); "Checked" "double free" ", class 48";
    the_smallest_block_freed_twice: free_twice::<Checked>(1); "Checked" "double free" ", class 16";
    a_medium_block_freed_twice:
        free_twice::<Checked>(20_000); "Checked" "double free" ", class 20096";
    a_large_block_freed_twice: free_twice::<Checked>(1_000_000); "Checked" "double free" "";
    a_small_block_freed_here_then_there:
        free_here_then_there::<Checked>(48); "Checked" "double free" ", class 48";
    a_medium_block_freed_here_then_there:
        free_here_then_there::<Checked>(20_000); "Checked" "double free" ", class 20096";
    a_large_block_freed_here_then_there:
        free_here_then_there::<Checked>(1_000_000); "Checked" "double free" "";
    a_small_block_freed_there_then_here:
        free_there_then_here::<Checked>(48); "Checked" "double free" ", class 48";
    a_large_block_freed_there_then_here:
        free_there_then_here::<Checked>(1_000_000); "Checked" "double free" "";
    a_block_freed_twice_there:
        free_twice_there::<Checked>(48); "Checked" "double free" ", class 48";
    a_block_freed_twice_with_others_between:
        free_twice_with_others_between::<Checked>(48); "Checked" "double free" ", class 48";
    a_block_freed_again_when_its_page_has_gone:
        free_again_when_the_page_has_gone::<Checked>(48); "Checked" "double free" ", class 48";
    a_block_freed_twice_when_scattered:
        free_twice_when_scattered::<Checked>(48); "Checked" "double free" ", class 48";
    a_free_block_grown_in_place:
        grow_what_is_free::<Checked>(41, 48); "Checked" "double free" ", class 48";
    a_free_block_grown:
        grow_what_is_free::<Checked>(48, 4000); "Checked" "double free" ", class 48";

    an_address_inside_a_small_block:
        free_inside::<Checked>(48, 16); "Checked" "free of what is no block's start" ", class 48";
    an_odd_address_inside_a_small_block:
        free_inside::<Checked>(48, 1); "Checked" "free of what is no block's start" ", class 48";
    the_middle_of_a_medium_block:
        free_inside::<Checked>(20_000, 10_000);
        "Checked" "free of what is no block's start" ", class 20096";
    the_middle_of_a_large_block:
        free_inside::<Checked>(1_000_000, 500_000);
        "Checked" "free of what is no block's start" "";
    a_slice_inside_a_large_block:
        free_inside::<Checked>(1_000_000, 65_536);
        "Checked" "free of what is no block's start" "";
    an_address_inside_a_small_block_there:
        free_inside_there::<Checked>(48, 16);
        "Checked" "free of what is no block's start" ", class 48";
    an_address_inside_a_block_when_scattered:
        free_inside_when_scattered::<Checked>(48);
        "Checked" "free of what is no block's start" ", class 48";

    an_address_of_the_stack:
        free_of_the_stack::<Checked>(48);
        "Checked" "free of what is not of this allocator" ", class 48";
    an_address_of_the_stack_as_a_large_block:
        free_of_the_stack::<Checked>(1_000_000);
        "Checked" "free of what is not of this allocator" "";
    an_address_of_a_static:
        free_of_a_static::<Checked>(48);
        "Checked" "free of what is not of this allocator" ", class 48";
    a_block_of_another_malloc:
        free_of_another_malloc::<Checked>(48);
        "Checked" "free of what is not of this allocator" ", class 48";

    a_small_block_of_another_type:
        free_of_another_type::<Default, Checked>(48);
        "Checked" "free of a block of another allocator type" ", class 48";
    a_small_block_of_another_checked_type:
        free_of_another_type::<Checked, Located>(48);
        "Located" "free of a block of another allocator type" ", class 48";
    a_medium_block_of_another_type:
        free_of_another_type::<Default, Checked>(20_000);
        "Checked" "free of a block of another allocator type" ", class 20096";
    a_large_block_of_another_type:
        free_of_another_type::<Default, Checked>(1_000_000);
        "Checked" "free of a block of another allocator type" "";

    a_small_block_with_a_smaller_layout:
        free_with_another_size::<Checked>(48, 16);
        "Checked" "free with a layout of another class" ", class 16";
    a_small_block_with_a_medium_layout:
        free_with_another_size::<Checked>(48, 20_000);
        "Checked" "free with a layout of another class" ", class 20096";
    a_medium_block_with_a_small_layout:
        free_with_another_size::<Checked>(20_000, 48);
        "Checked" "free with a layout of another class" ", class 48";
    a_small_block_with_a_large_layout:
        free_with_another_size::<Checked>(48, 1_000_000);
        "Checked" "free with a layout of another class" "";
    a_large_block_with_a_small_layout:
        free_with_another_size::<Checked>(1_000_000, 48);
        "Checked" "free with a layout of another class" ", class 48";
    a_large_block_with_another_large_layout:
        free_with_another_size::<Checked>(1_000_000, 2_000_000);
        "Checked" "free with a layout of another class" "";

    an_overflow_into_a_free_block:
        overflow_by_a_byte::<Checked>(48); "Checked" "write to a free block" ", class 48";
    a_write_to_the_first_word_of_a_free_block:
        write_to_what_is_free::<Checked>(48, 0); "Checked" "write to a free block" ", class 48";
    a_write_to_the_second_word_of_a_free_block:
        write_to_what_is_free::<Checked>(48, 8); "Checked" "write to a free block" ", class 48";
    a_write_to_a_free_medium_block:
        write_to_what_is_free::<Checked>(20_000, 8);
        "Checked" "write to a free block" ", class 20096";
    a_forged_link: forge_a_link::<Checked>(48); "Checked" "write to a free block" ", class 48";
    a_replayed_link: replay_a_link::<Checked>(48); "Checked" "write to a free block" ", class 48";
    a_write_to_a_block_that_waits_in_a_list:
        write_to_what_waits_in_a_list::<Checked>(48);
        "Checked" "write to a free block" ", class 48";

    a_huge_block_freed_twice: free_twice::<Checked>(20_000_000); "Checked" "double free" "";
    a_huge_block_freed_here_then_there:
        free_here_then_there::<Checked>(20_000_000); "Checked" "double free" "";
    the_middle_of_a_huge_block:
        free_inside::<Checked>(20_000_000, 10_000_000);
        "Checked" "free of what is no block's start" "";
    an_address_of_the_stack_as_a_huge_block:
        free_of_the_stack::<Checked>(20_000_000);
        "Checked" "free of what is not of this allocator" "";
    a_huge_block_of_another_checked_type:
        free_of_another_type::<Located, Checked>(20_000_000);
        "Checked" "free of a block of another allocator type" "";
    a_huge_block_with_a_small_layout:
        free_with_another_size::<Checked>(20_000_000, 48);
        "Checked" "free with a layout of another class" ", class 48";
    a_huge_block_with_a_large_layout:
        free_with_another_size::<Checked>(20_000_000, 1_000_000);
        "Checked" "free with a layout of another class" "";
    a_huge_block_with_another_huge_layout:
        free_with_another_size::<Checked>(20_000_000, 30_000_000);
        "Checked" "free with a layout of another class" "";
    a_small_block_with_a_huge_layout:
        free_with_another_size::<Checked>(48, 20_000_000);
        "Checked" "free with a layout of another class" "";
    a_large_block_with_a_huge_layout:
        free_with_another_size::<Checked>(1_000_000, 20_000_000);
        "Checked" "free with a layout of another class" "";

    links_alone_find_a_double_free:
        free_twice::<Signed>(48); "Signed" "double free" ", class 48";
    links_alone_find_a_double_free_there:
        free_here_then_there::<Signed>(48); "Signed" "double free" ", class 48";
    links_alone_find_a_forged_link:
        forge_a_link::<Signed>(48); "Signed" "write to a free block" ", class 48";
    pages_alone_find_an_address_inside_a_block:
        free_inside::<Located>(48, 16);
        "Located" "free of what is no block's start" ", class 48";
    pages_alone_find_a_layout_of_another_class:
        free_with_another_size::<Located>(8, 48);
        "Located" "free with a layout of another class" ", class 48";
}

#[test]
fn the_first_words_of_a_block_are_cleared() {
    let block = allocate::<Checked>(64);
    for at in [0, 8] {
        write(block, at, u64::MAX);
    }
    free::<Checked>(block, 64);
    let again = allocate::<Checked>(64);
    assert_eq!(again, block, "the last freed is the first handed out");
    assert_eq!((read(again, 0), read(again, 8)), (0, 0));
    free::<Checked>(again, 64);
}

#[test]
fn a_freed_block_does_not_tell_where_others_are() {
    let blocks = [(); 3].map(|()| allocate::<Checked>(64));
    for block in blocks {
        free::<Checked>(block, 64);
    }
    // What they are linked to lies in the same 64 KiB.
    for block in blocks {
        let address = block.addr().get() as u64;
        assert!((read(block, 0) ^ address) >> 16 != 0);
        assert!((read(block, 8) ^ address) >> 16 != 0);
    }
}

#[test]
fn a_block_that_is_left_as_it_came_can_be_freed() {
    for size in [1, 16, 48, 20_000] {
        for _ in 0..100 {
            free::<Checked>(allocate::<Checked>(size), size);
        }
    }
}

#[test]
fn as_many_classes_as_there_may_be_are_told_apart() {
    let name = "as_many_classes_as_there_may_be_are_told_apart";
    let classes = Most::CONFIG.class_bytes;
    let sizes = || classes.iter().map(|&bytes| bytes as usize);
    assert_eq!(classes.len(), 256);
    if child::is_child_of(name) {
        return free_with_another_size::<Most>(2056, 16);
    }
    let blocks: Vec<_> = sizes().map(allocate::<Most>).collect();
    for (block, size) in blocks.into_iter().zip(sizes()) {
        free::<Most>(block, size);
    }
    assert!(run(name).said.contains("another class"));
}

#[test]
fn on_corruption_can_trap() {
    let name = "on_corruption_can_trap";
    if child::is_child_of(name) {
        return free_twice::<Trapping>(48);
    }
    let Ended {
        output,
        said,
        address,
    } = run(name);
    assert_eq!(
        said,
        format!("allocator `Trapping`: double free of {address}, class 48\n")
    );
    assert_eq!(output.status.signal(), Some(libc::SIGILL));
}

#[test]
fn on_corruption_can_call_what_ends_the_process() {
    let name = "on_corruption_can_call_what_ends_the_process";
    if child::is_child_of(name) {
        return free_twice::<Ending>(48);
    }
    let Ended { output, said, .. } = run(name);
    assert_eq!(output.status.code(), Some(42), "{said}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&format!("told: {said}")), "{told}");
}

#[test]
fn on_corruption_aborts_after_what_returns() {
    let name = "on_corruption_aborts_after_what_returns";
    if child::is_child_of(name) {
        return free_twice::<Returning>(48);
    }
    let Ended { output, said, .. } = run(name);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{said}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&format!("told: {said}")), "{told}");
}
