//! What faults in a program whose `malloc` has guards.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::ptr::NonNull;

use crate::probe::{read_faults, signal_of, write_faults};

fn malloc(size: usize) -> NonNull<u8> {
    // SAFETY: always allowed.
    let block = unsafe { black_box(libc::malloc(size)) };
    NonNull::new(block.cast()).expect("memory")
}

fn free(block: NonNull<u8>) {
    // SAFETY: each block is freed once, but in children that are to end by it.
    unsafe { libc::free(black_box(block.as_ptr()).cast()) };
}

fn usable(block: NonNull<u8>) -> usize {
    // SAFETY: a live block.
    unsafe { libc::malloc_usable_size(block.as_ptr().cast()) }
}

fn at(block: NonNull<u8>, offset: isize) -> NonNull<u8> {
    NonNull::new(block.as_ptr().wrapping_offset(offset)).expect("not null")
}

/// Blocks of no bytes have addresses of their own, at which nothing can be written or read.
pub fn zero_sized(_: &[String]) {
    let blocks: BTreeSet<_> = (0..1000).map(|_| malloc(0)).collect();
    assert_eq!(blocks.len(), 1000, "each has an address of its own");
    for &block in &blocks {
        assert!(block.addr().get().is_multiple_of(16));
        assert_eq!(usable(block), 0);
    }
    let first = *blocks.first().expect("a thousand");
    assert!(write_faults(first) && read_faults(first));
    assert!(write_faults(at(first, 15)));
    // SAFETY: a live block, which what is returned replaces; freed below.
    let grown = unsafe { libc::realloc(first.as_ptr().cast(), 100) };
    let grown = NonNull::new(grown.cast::<u8>()).expect("memory");
    // SAFETY: the block's own bytes.
    unsafe { grown.write_bytes(7, 100) };
    free(grown);
    let others: Vec<_> = blocks.into_iter().skip(1).collect();
    let twice = signal_of(|| {
        free(others[0]);
        free(others[0]);
    });
    assert_eq!(twice, libc::SIGABRT, "freed twice");
    let inside = signal_of(|| free(at(others[0], 8)));
    assert_eq!(inside, libc::SIGABRT, "not the address of a block");
    others.into_iter().for_each(free);
    // SAFETY: freed below.
    let zeroed = unsafe { black_box(libc::calloc(0, 8)) };
    let zeroed = NonNull::new(zeroed.cast()).expect("an address");
    assert!(write_faults(zeroed));
    free(zeroed);
    // More at a time than there are addresses for: the rest are ordinary blocks, and all are freed.
    let many: Vec<_> = (0..70_000).map(|_| malloc(0)).collect();
    many.into_iter().for_each(free);
    assert!(write_faults(malloc(0)));
}

/// What runs over the end of large and huge blocks faults, and so does what runs before huge ones.
pub fn overflows(_: &[String]) {
    for size in [100_000, 1 << 20, 9 << 20, 17 << 20, 40 << 20] {
        let mut block = malloc(size);
        for grown in [size, size + 5000, 2 * size] {
            // SAFETY: a live block, which what is returned replaces.
            let resized = unsafe { libc::realloc(block.as_ptr().cast(), grown) };
            block = NonNull::new(resized.cast()).expect("memory");
            let end = usable(block);
            assert!(end >= grown && end < grown + 4096, "{grown}: {end}");
            assert!(write_faults(at(block, end.cast_signed())), "{grown}");
            assert!(!write_faults(at(block, end.cast_signed() - 1)), "{grown}");
            // What is before a large block is another's, or its guard.
            if grown > 16 << 20 {
                assert!(write_faults(at(block, -1)), "{grown}");
            }
        }
        free(block);
    }
}

/// One block in some has OS pages of its own, and faults behind its end and after its free.
pub fn sampled(_: &[String]) {
    let mut blocks: Vec<_> = (0..2000).map(|i| malloc(1000 + i % 3000)).collect();
    let ends_at_a_page = |block: &&NonNull<u8>| {
        let end = block.addr().get() + usable(**block);
        end.is_multiple_of(4096) && write_faults(at(**block, usable(**block).cast_signed()))
    };
    // A page of blocks ends with a guard, too, but the OS pages before a sampled block are one as well.
    let is_sampled = |block: &&NonNull<u8>| {
        let first_page = at(**block, -((block.addr().get() % 4096).cast_signed()));
        write_faults(at(first_page, -1))
    };
    let found = blocks
        .iter()
        .filter(ends_at_a_page)
        .find(is_sampled)
        .copied();
    let sampled = found.expect("one of two thousand");
    // SAFETY: the block's own bytes.
    unsafe { sampled.write_bytes(1, usable(sampled)) };
    // SAFETY: a live block, which what is returned replaces; where it is, since its class is the same.
    let stays = unsafe { libc::realloc(sampled.as_ptr().cast(), usable(sampled) - 1) };
    assert_eq!(stays.cast(), sampled.as_ptr());
    blocks.retain(|&block| block != sampled);
    free(sampled);
    assert!(write_faults(sampled) && read_faults(sampled));
    assert_eq!(signal_of(|| free(sampled)), libc::SIGSEGV, "freed twice");
    blocks.into_iter().for_each(free);
}
