//! Random numbers. The seed is printed; given back by `ALLOCATOR_TESTS_SEED`, it makes the same sizes, if not the same
//! turns of the threads.

/// A generator of random numbers (splitmix64).
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Starts from the environment's seed, or from the time.
    pub fn of_the_day() -> Self {
        let given = std::env::var("ALLOCATOR_TESTS_SEED").ok();
        let seed = given.map_or_else(
            || {
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(1, |since| since.as_nanos() as u64)
            },
            |text| text.parse().expect("ALLOCATOR_TESTS_SEED is a number"),
        );
        println!("ALLOCATOR_TESTS_SEED={seed}");
        Self(seed)
    }

    /// A random word.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
