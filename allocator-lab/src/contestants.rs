//! The table of what is compared: one row per allocator.
//!
//! The declared ones differ in one option each, so that a row of the result
//! says what that option alone is worth.

use allocator_core::{Config, derive_allocator};
use std::alloc::{GlobalAlloc, Layout, System};

/// The baseline: mimalloc's published constants.
#[derive_allocator(preset = stock)]
struct Stock;

/// `Stock`, with larger extend batches.
#[derive_allocator(preset = stock, small_extend = half_remaining)]
struct HalfRemaining;

/// `Stock`, with local frees collected before remote ones.
#[derive_allocator(preset = stock, fast_path(local_first))]
struct LocalFirst;

/// `Stock`, with a longer life for small-block pages that are all free.
#[derive_allocator(preset = stock, retire_cycles(small = 48, large = 16))]
struct RetireCycles;

/// `Stock`, without collecting while a page has free blocks.
#[derive_allocator(preset = stock, fast_path(skip_collect))]
struct SkipCollect;

/// `Stock` with these four together.
#[derive_allocator(preset = seed)]
struct Seed;

/// What one gets without choosing.
#[derive_allocator]
struct Chosen;

/// One allocator in the comparison.
pub struct Contestant {
    /// How it is called on the command line and in the table.
    pub name: &'static str,
    /// What it is, in half a line.
    pub about: &'static str,
    /// What serves this process's memory when it is selected.
    pub allocator: &'static (dyn GlobalAlloc + Sync),
    /// The choices it was declared with, if it was declared.
    pub config: Option<&'static Config>,
}

/// The baseline that ratios are to: the first row.
pub const BASELINE: &Contestant = &CONTESTANTS[0];

/// The choices of who declares nothing.
pub const DEFAULT: &Config = &Chosen::CONFIG;

/// What serves a process that was not told otherwise: the last row.
pub const SYSTEM: &Contestant = &CONTESTANTS[CONTESTANTS.len() - 1];

/// Every allocator that is compared.
pub static CONTESTANTS: [Contestant; 8] = [
    Contestant {
        name: "stock",
        about: "mimalloc's published constants: the baseline",
        allocator: &Stock,
        config: Some(&Stock::CONFIG),
    },
    Contestant {
        name: "half_remaining",
        about: "stock, extending small-block pages by half of what is left",
        allocator: &HalfRemaining,
        config: Some(&HalfRemaining::CONFIG),
    },
    Contestant {
        name: "local_first",
        about: "stock, collecting local frees before remote ones",
        allocator: &LocalFirst,
        config: Some(&LocalFirst::CONFIG),
    },
    Contestant {
        name: "retire_cycles",
        about: "stock, keeping all-free small-block pages 48 cycles, not 16",
        allocator: &RetireCycles,
        config: Some(&RetireCycles::CONFIG),
    },
    Contestant {
        name: "skip_collect",
        about: "stock, not collecting while a page has free blocks",
        allocator: &SkipCollect,
        config: Some(&SkipCollect::CONFIG),
    },
    Contestant {
        name: "seed",
        about: "stock with these four together",
        allocator: &Seed,
        config: Some(&Seed::CONFIG),
    },
    Contestant {
        name: "default",
        about: "#[derive_allocator] with nothing else",
        allocator: &Chosen,
        config: Some(&Chosen::CONFIG),
    },
    Contestant {
        name: "System",
        about: "the allocator of the C library",
        allocator: &System,
        config: None,
    },
];

/// Bytes of the block that the default gives for a layout.
#[must_use]
pub fn usable_size_of_default(layout: Layout) -> usize {
    Chosen.usable_size(layout)
}

/// The contestant of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Contestant> {
    CONTESTANTS
        .iter()
        .find(|contestant| contestant.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_alone_is_one_step_from_stock_and_all_together_are_the_seed() {
        let (stock, seed) = (Stock::CONFIG, Seed::CONFIG);
        let mut together = stock;
        let mut check = |declared: Config, change: fn(&mut Config, Config)| {
            let mut expected = stock;
            change(&mut expected, seed);
            assert_ne!(expected, stock, "the seed has this option");
            expected.name = declared.name;
            assert_eq!(declared, expected);
            change(&mut together, seed);
        };
        check(HalfRemaining::CONFIG, |it, seed| {
            it.small_extend = seed.small_extend
        });
        check(LocalFirst::CONFIG, |it, seed| {
            it.fast_path.local_first = seed.fast_path.local_first
        });
        check(RetireCycles::CONFIG, |it, seed| {
            it.retire_cycles = seed.retire_cycles
        });
        check(SkipCollect::CONFIG, |it, seed| {
            it.fast_path.skip_collect = seed.fast_path.skip_collect
        });
        together.name = seed.name;
        assert_eq!(together, seed);
    }

    #[test]
    fn the_system_is_last_and_not_declared() {
        assert_eq!(SYSTEM.name, "System");
        assert!(SYSTEM.config.is_none());
    }
}
