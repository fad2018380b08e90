//! Calls of the OS that fail by injection, by either face.

use allocator_core::os::{Call, fault};

use crate::face::Face;
use crate::injected::CALLS;
use crate::random::Random;

/// Each call fails at its n-th time, and always. Only what needs a mapping is refused, and blocks
/// are as they were.
pub fn calls_fail<F: Face>(_: &[String]) {
    for (seed, call) in (0..).zip(CALLS) {
        let is_served = |refused: usize| call == Call::Map || refused == 0;
        for k in 0..20 {
            fault::fail(call, k, 1);
            let refused = F::load(seed);
            fault::reset();
            assert!(is_served(refused), "{call:?} {k}");
        }
        fault::fail(call, 0, u64::MAX);
        let refused = F::load(seed);
        fault::reset();
        assert!(is_served(refused), "{call:?}");
        assert!(call != Call::Map || refused > 0, "nothing was refused");
    }
    assert_eq!(F::load(7), 0, "everything is served afterwards");
}

/// Each of the first 200 mappings fails, alone or with more than can be made up for; then the heap serves, at once.
pub fn each_map_fails<F: Face>(_: &[String]) {
    assert_eq!(F::load(1), 0);
    let mut random = Random::new(2);
    let mut refused = 0;
    for k in 0..200 {
        // One failure may be made up for; as many as there are sizes of chunk, twice over, may not.
        let failures = if k % 2 == 0 { 12 } else { 1 };
        let end = fault::calls(Call::Map) + k + failures;
        // Mappings, not touched, until the k-th and those that fail with it; and pages, which may need a
        // chunk. The list must not be what fails.
        let mut blocks = Vec::with_capacity(1000);
        fault::fail(Call::Map, k, failures);
        while fault::calls(Call::Map) < end {
            for size in [(17 + random.below(20)) << 20, 1 + random.below(100_000)] {
                match F::try_allocate(size) {
                    Some(block) => blocks.push((block, size)),
                    None => refused += 1,
                }
            }
        }
        fault::reset();
        for (block, size) in blocks {
            // SAFETY: each freed once.
            unsafe { F::free(block, size) };
        }
        let again = F::allocate(20 << 20);
        // SAFETY: freed once.
        unsafe { F::free(again, 20 << 20) };
    }
    assert!(refused >= 100, "{refused} requests were refused");
    assert_eq!(F::load(3), 0, "everything is served afterwards");
}

/// Without a mapping to be had and with none to grow, what there is no room for is refused, however it is asked for,
/// and a block that cannot grow is as it was.
pub fn out_of_memory<F: Face>(_: &[String]) {
    const FULL: usize = 4 << 20;
    let sizes = [100, 5000, 40_000, 3 << 20, 17 << 20];
    let mut blocks = sizes.map(|size| (F::allocate(size), size));
    for (block, size) in blocks {
        fill(block, size);
    }
    // The list must not be what fails.
    let mut fillers = Vec::with_capacity(1000);
    fault::fail(Call::Map, 0, u64::MAX);
    fault::fail(Call::Remap, 0, u64::MAX);
    while let Some(filler) = F::try_allocate(FULL) {
        fillers.push(filler);
        assert!(fillers.len() < fillers.capacity(), "nothing is refused");
    }
    for (block, size) in blocks {
        for new_size in [FULL, 64 << 20] {
            if new_size > size {
                // SAFETY: refused, which leaves the block as it was.
                let grown = unsafe { F::try_resize(block, size, new_size) };
                assert!(grown.is_none(), "{size} to {new_size}");
            }
        }
        assert!(is_filled(block, size), "{size}");
        for (size, align) in [(FULL, 4096), (17 << 20, 8), (8, 1 << 30)] {
            assert!(
                F::try_allocate_aligned(size, align).is_none(),
                "{size} at {align}"
            );
        }
    }
    fault::reset();
    for (block, size) in &mut blocks {
        // SAFETY: the new block takes the old one's place.
        let grown = unsafe { F::try_resize(*block, *size, 64 << 20) };
        let grown = grown.expect("there is memory again");
        assert!(is_filled(grown, *size), "{size}");
        (*block, *size) = (grown, 64 << 20);
    }
    let fillers = fillers.into_iter().map(|filler| (filler, FULL));
    for (block, size) in fillers.chain(blocks) {
        // SAFETY: each freed once.
        unsafe { F::free(block, size) };
    }
    assert_eq!(F::load(5), 0, "everything is served afterwards");
}

/// Marks a block at every OS page and at its end.
fn fill(block: usize, size: usize) {
    for at in (0..size).step_by(4096).chain([size - 1]) {
        // SAFETY: the block's own bytes, here and below.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(block + at).write(size as u8 | 1) };
    }
}

fn is_filled(block: usize, size: usize) -> bool {
    let mut places = (0..size).step_by(4096).chain([size - 1]);
    places.all(|at| {
        let byte = std::ptr::with_exposed_provenance::<u8>(block + at);
        // SAFETY: as above.
        unsafe { byte.read() == size as u8 | 1 }
    })
}
