//! The five cases that the project began with, on every configuration.

use std::collections::HashSet;
use std::ptr::NonNull;
use std::time::Instant;

use allocator_core::config::Purge;
use allocator_tests::block::Block;
use allocator_tests::every_configuration;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::{Subject, layout};

every_configuration!(every_byte_size_keeps_its_sentinels);
every_configuration!(a_dirtied_block_comes_back_zero);
every_configuration!(ping_pong_at_ten_sizes_keeps_content);
every_configuration!(bursts_keep_content_and_give_every_block_back);
every_configuration!(six_classes_interleaved_keep_content);

/// How often a case is repeated: a type that gives memory back at once calls the OS for every page
/// that becomes free, in some cases each time, so a sixteenth has to do.
fn rounds<A: Subject>(most: u64) -> u64 {
    match A::CHOICES.purge {
        Purge::Now => most / 16,
        Purge::Never | Purge::After(_) => most,
    }
}

/// Sentinels at both ends of a block, so that its neighbours cannot overlap it unnoticed.
struct Sentinels {
    block: NonNull<u8>,
    size: usize,
}

impl Sentinels {
    fn set<A: Subject>(size: usize) -> Self {
        let block = A::allocate(layout(size, 1)).expect("memory");
        // SAFETY: the block has `size` bytes.
        unsafe {
            block.write_bytes(0x5a, size);
            block.write(size as u8);
            block.add(size - 1).write(!(size as u8));
        }
        Self { block, size }
    }

    fn check_and_free<A: Subject>(self) {
        let Self { block, size } = self;
        // SAFETY: the block has `size` initialised bytes.
        let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), size) };
        let (last, before) = bytes.split_last().expect("one byte at least");
        assert_eq!(*last, !(size as u8), "last byte of {size}");
        if let Some((first, middle)) = before.split_first() {
            assert_eq!(*first, size as u8, "first byte of {size}");
            assert!(middle.iter().all(|&byte| byte == 0x5a), "middle of {size}");
        }
        // SAFETY: live, and allocated with this layout.
        unsafe { A::deallocate(block, layout(size, 1)) };
    }
}

fn every_byte_size_keeps_its_sentinels<A: Subject>() {
    const SIZES: std::ops::RangeInclusive<usize> = 1..=1024;
    // Alone, then all at once, freed from the front and from the back.
    for size in SIZES {
        Sentinels::set::<A>(size).check_and_free::<A>();
    }
    let all = || SIZES.map(Sentinels::set::<A>).collect::<Vec<_>>();
    all().into_iter().for_each(Sentinels::check_and_free::<A>);
    all()
        .into_iter()
        .rev()
        .for_each(Sentinels::check_and_free::<A>);
    A::check();
}

fn a_dirtied_block_comes_back_zero<A: Subject>() {
    /// More than any has.
    const PAGE_BYTES: usize = 1 << 20;
    for size in [
        1,
        8,
        24,
        64,
        200,
        1000,
        1024,
        5000,
        32_768,
        33_000,
        100_000,
        17 << 20,
    ] {
        let layout = layout(size, 8);
        let count = if size < 1 << 20 { 10 } else { 1 };
        // One stays, so that the page of the others does.
        let stays = A::allocate(layout).expect("memory");
        let dirty: HashSet<_> = (0..count)
            .map(|_| A::allocate(layout).expect("memory"))
            .collect();
        for &block in &dirty {
            // SAFETY: as many bytes are usable; then live, of this layout.
            unsafe { block.write_bytes(0xff, A::usable_size(layout)) };
        }
        for &block in &dirty {
            // SAFETY: live, of this layout.
            unsafe { A::deallocate(block, layout) };
        }
        let_them_come_back::<A>();
        // Behind what is fresh, where a visitor sent them home.
        let most = count + if count > 1 { PAGE_BYTES / size } else { 0 };
        let (mut zeroed, mut recycled) = (Vec::new(), 0);
        while zeroed.len() < count || zeroed.len() < most && recycled == 0 {
            let block = A::allocate_zeroed(layout).expect("memory");
            recycled += usize::from(dirty.contains(&block));
            zeroed.push(block);
        }
        if size <= A::CHOICES.max_class_bytes() {
            assert!(recycled > 0, "no dirtied block of {size} bytes came back");
        }
        for block in zeroed {
            // SAFETY: as many bytes are initialised, by alloc_zeroed.
            let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), size) };
            assert!(bytes.iter().all(|&byte| byte == 0), "{size} bytes");
            // SAFETY: live, of this layout.
            unsafe { A::deallocate(block, layout) };
        }
        // SAFETY: live, of this layout.
        unsafe { A::deallocate(stays, layout) };
        // Before those of the next size, which may be of the same class.
        let_them_come_back::<A>();
    }
    A::check();
}

/// Where blocks wait before they come back, others have to come behind them.
fn let_them_come_back<A: Subject>() {
    for _ in 0..400 {
        let other = layout(4000, 8);
        let block = A::allocate(other).expect("memory");
        // SAFETY: live, of this layout.
        unsafe { A::deallocate(block, other) };
    }
}

fn ping_pong_at_ten_sizes_keeps_content<A: Subject>() {
    const TIMES: u64 = if cfg!(debug_assertions) {
        2_000
    } else {
        100_000
    };
    for size in [8, 16, 32, 48, 64, 128, 256, 512, 1024, 4096] {
        let layout = layout(size, 8);
        let start = Instant::now();
        let times = rounds::<A>(TIMES);
        for round in 0..times {
            let block = A::allocate(layout).expect("memory").cast::<u64>();
            // SAFETY: the block is at least a word long and aligned to 8; then live.
            unsafe {
                block.write_volatile(round);
                assert_eq!(block.read_volatile(), round);
                A::deallocate(block.cast(), layout);
            }
        }
        let millions = times as f64 / start.elapsed().as_secs_f64() / 1e6;
        let name = A::CHOICES.name;
        println!("{name}: ping-pong at {size} bytes: {millions:.1} million a second");
    }
}

fn bursts_keep_content_and_give_every_block_back<A: Subject>() {
    const BLOCKS: u64 = 4096;
    // 512 rounds are the case; in debug builds 32 have to do, for time.
    const ROUNDS: u64 = if cfg!(debug_assertions) { 32 } else { 512 };
    let layout = layout(64, 8);
    let before = A::stats();
    let mut blocks = Vec::with_capacity(BLOCKS as usize);
    let rounds = rounds::<A>(ROUNDS);
    for round in 0..rounds {
        blocks.extend((0..BLOCKS).map(|i| {
            let block = A::allocate(layout).expect("memory").cast::<u64>();
            // SAFETY: the block is longer than a word and aligned to 8.
            unsafe { block.write(round << 32 | i) };
            block
        }));
        for (i, block) in blocks.drain(..).enumerate() {
            // SAFETY: live, written above, of this layout.
            unsafe {
                assert_eq!(block.read(), round << 32 | i as u64);
                A::deallocate(block.cast(), layout);
            }
        }
    }
    A::check();
    if A::counts() {
        let after = A::stats();
        let (allocations, frees) = (
            after.allocations - before.allocations,
            after.frees - before.frees,
        );
        assert!(allocations >= BLOCKS * rounds && frees >= BLOCKS * rounds);
    }
}

fn six_classes_interleaved_keep_content<A: Subject>() {
    const TIMES: usize = if cfg!(debug_assertions) {
        6_000
    } else {
        120_000
    };
    const SIZES: [usize; 6] = [16, 48, 128, 400, 1024, 3000];
    let mut random = Random::new(seed_of("six_classes_interleaved"));
    let mut live: Vec<Block<A>> = Vec::new();
    for i in 0..TIMES {
        let size = SIZES[i % SIZES.len()];
        live.push(Block::new(size, 8, i % 5 == 0, i as u64).expect("memory"));
        // Grows to 600 blocks and stays there.
        if live.len() > 600 {
            let index = random.below(live.len());
            live.swap_remove(index).free();
        }
    }
    A::check();
    live.into_iter().for_each(Block::free);
    A::check();
}
