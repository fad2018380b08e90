//! The allocators whose instructions are counted: the default, as the global
//! allocator and as a value, and declarations that differ from it in an option.

use crate::work::{self, Global};
use allocator_core::derive_allocator;
use std::alloc::Layout;

/// What one gets without choosing.
#[derive_allocator]
pub struct Chosen;

#[derive_allocator(stats = counters)]
struct Counting;

#[derive_allocator(limit = 512MiB)]
struct Limited;

#[derive_allocator(fast_path(cache = off))]
struct Uncached;

#[derive_allocator(hardening(links))]
struct Signed;

#[derive_allocator(hardening = checked)]
struct Checked;

#[derive_allocator(hardening = guarded)]
struct Guarded;

/// An allocator, with the loops over it.
pub struct Variant {
    /// How the table and the command line call it.
    pub name: &'static str,
    /// One per column of the table: runs the loop so many times.
    pub loops: [fn(usize); LOOPS.len()],
}

/// A loop that is counted.
pub struct Loop {
    /// How the table and the command line call it.
    pub name: &'static str,
    /// What it does so many times.
    pub about: &'static str,
}

/// The columns of the table.
pub const LOOPS: [Loop; 3] = [
    Loop {
        name: "pair",
        about: "allocate and free 48 bytes",
    },
    Loop {
        name: "burst",
        about: "the same, a hundred blocks at a time",
    },
    Loop {
        name: "random",
        about: "replace one of 20,000 live blocks of 48 bytes",
    },
];

macro_rules! variant {
    ($name:literal, $allocator:expr) => {
        Variant {
            name: $name,
            loops: [
                |count| work::pair(&$allocator, count),
                |count| work::burst(&$allocator, count),
                |count| work::random(&$allocator, count),
            ],
        }
    };
}

/// The rows of the table.
pub const VARIANTS: [Variant; 8] = [
    variant!("global", Global),
    variant!("default", Chosen),
    variant!("stats = counters", Counting),
    variant!("limit = 512MiB", Limited),
    variant!("cache = off", Uncached),
    variant!("hardening(links)", Signed),
    variant!("checked", Checked),
    variant!("guarded", Guarded),
];

/// Whether the variant with a limit refuses what is over it, and the default does not: the limit
/// is there, though no loop pays for it.
pub fn the_limit_acts() -> bool {
    let over = Layout::new::<[u8; 513 << 20]>();
    let Some(block) = Chosen.allocate(over) else {
        return false;
    };
    // SAFETY: just allocated with this layout.
    unsafe { Chosen.deallocate(block, over) };
    Limited.allocate(over).is_none()
}
