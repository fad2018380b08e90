//! What a program may do by either face of a type.

use std::thread;

use allocator_core::os::{Call, fault};

use super::c_calls;
use crate::face::Face;
use crate::forked::on_another_thread;
use crate::random::Random;

/// # Safety
/// - `block` is valid for reads and writes of its size, of which there is a byte.
unsafe fn touch(block: usize, size: usize) {
    let block: *mut u8 = std::ptr::with_exposed_provenance_mut(block);
    // SAFETY: the caller's promise.
    unsafe {
        block.write_volatile(1);
        block.add(size - 1).write_volatile(2);
    }
}

/// Alignments to 2^40 and sizes of every length, together: what is served is as long and as aligned as was asked.
pub fn extremes<F: Face>(_: &[String]) {
    const MOST: usize = isize::MAX as usize;
    let mut random = Random::new(11);
    let mut served = 0;
    for round in 0..30_000 {
        let align = 1 << random.below(41);
        let size = match round % 8 {
            0 => [0, 1, MOST - 1, MOST, MOST + 1, usize::MAX][random.below(6)],
            1 => MOST - align + random.below(3),
            _ => random.next() as usize >> random.below(64),
        };
        let Some(block) = F::try_allocate_aligned(size, align) else {
            assert!(size >= 1 << 30 || align >= 1 << 30, "{size} at {align}");
            continue;
        };
        assert!(
            size <= MOST && block.is_multiple_of(align),
            "{size} at {align}"
        );
        // SAFETY: the block's own bytes; freed once.
        unsafe {
            if size > 0 {
                touch(block, size);
            }
            F::free_aligned(block, size, align);
        }
        served += 1;
    }
    assert!(served > 10_000, "{served} were served");
}

/// The first thing that a thread does with a type is each of its functions.
pub fn first_acts<F: Face>(_: &[String]) {
    /// What a thread does first, with a block of this size which it must free.
    type Act = fn(usize, usize);
    fn free<F: Face>(block: usize, size: usize) {
        // SAFETY: the block is the thread's.
        unsafe { F::free(block, size) };
    }
    fn resized<F: Face>(block: usize, size: usize, new_size: usize) {
        // SAFETY: as above.
        let resized = unsafe { F::try_resize(block, size, new_size) };
        free::<F>(resized.expect("there is memory"), new_size);
    }
    fn allocate<F: Face>(block: usize, size: usize, other: usize, align: usize) {
        let made = F::try_allocate_aligned(other, align).expect("there is memory");
        // SAFETY: the block's own bytes; freed once.
        unsafe {
            touch(made, other);
            F::free_aligned(made, other, align);
        }
        free::<F>(block, size);
    }
    let acts: [Act; 10] = [
        |block, size| allocate::<F>(block, size, 40, 8),
        |block, size| allocate::<F>(block, size, 40, 64),
        |block, size| allocate::<F>(block, size, 100_000, 8),
        |block, size| allocate::<F>(block, size, 20 << 20, 8),
        free::<F>,
        |block, size| resized::<F>(block, size, 3 * size),
        |block, size| resized::<F>(block, size, 7),
        |block, size| {
            F::purge();
            free::<F>(block, size);
        },
        |block, size| {
            assert!(F::try_allocate(isize::MAX as usize - 8).is_none());
            free::<F>(block, size);
        },
        |block, size| {
            assert_eq!(F::load(size as u64), 0);
            free::<F>(block, size);
        },
    ];
    for _ in 0..5 {
        for size in [40, 5000, 100_000, 20 << 20] {
            for act in acts {
                let block = F::allocate(size);
                on_another_thread(|| act(block, size));
            }
        }
    }
}

/// Threads at work in a storm of signals.
pub fn signals<F: Face>(_: &[String]) {
    c_calls::storm();
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || (0..10).for_each(|_| assert_eq!(F::load(seed), 0)));
        }
    });
}

/// A thread that only frees has no end to be told of, and no heap. The calls are counted for the whole process.
pub fn only_frees<F: Face>(_: &[String]) {
    let sizes = [1, 48, 300, 5000, 32 << 10, 200_000, 17 << 20];
    let blocks: Vec<_> = (0..700)
        .map(|index| sizes[index % sizes.len()])
        .map(|size| (F::allocate(size), size))
        .collect();
    let announced = fault::calls(Call::ThreadEnd);
    let all = &blocks;
    on_another_thread(|| {
        for (block, size) in all {
            // SAFETY: each freed once.
            unsafe { F::free(*block, *size) };
        }
    });
    assert_eq!(
        fault::calls(Call::ThreadEnd),
        announced,
        "no end to be told of"
    );
    // The counter does count.
    on_another_thread(|| {
        let block = F::allocate(48);
        // SAFETY: freed once.
        unsafe { F::free(block, 48) };
    });
    assert!(fault::calls(Call::ThreadEnd) > announced);
}
