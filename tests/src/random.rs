//! Random numbers for stress tests: a seed that is printed, and can be given back by the
//! environment variable `ALLOCATOR_TESTS_SEED`.

use std::io::Write;

/// A generator of random numbers (splitmix64).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A random word.
    #[expect(clippy::should_implement_trait, reason = "never ends, so no Option")]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Puts a slice into random order.
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            slice.swap(i, self.below(i + 1));
        }
    }
}

/// The seed of this run, printed for the test that uses it.
///
/// # Panics
/// When `ALLOCATOR_TESTS_SEED` is not a number.
#[must_use]
pub fn seed_of(test: &str) -> u64 {
    let seed = match std::env::var("ALLOCATOR_TESTS_SEED") {
        Ok(text) => text.parse().expect("ALLOCATOR_TESTS_SEED is a number"),
        Err(_) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(1, |since| since.as_nanos() as u64),
    };
    // Not println!, whose text is lost when the process ends by an abort.
    let line = format!("{test}: ALLOCATOR_TESTS_SEED={seed}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    seed
}
