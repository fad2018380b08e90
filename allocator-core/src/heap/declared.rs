//! What a declared type is to the allocator: its configuration and the places
//! that must be per type. Rust has no generic statics, so the macro makes them.

use super::cache::{Cache, Slot};
use super::shared::Shared;
use crate::config::{Config, StatsLevel};

/// A type that `#[derive_allocator]` made an allocator.
///
/// # Safety
/// - `PerClass<T>` is `[T; CONFIG.class_bytes.len()]`;
/// - `direct_table` is `direct_table(CONFIG.class_bytes)` up to `CONFIG.fast_path.direct_max`;
/// - `slot` is the calling thread's and stays where it is until the thread has ended, its
///   destructors included; `shared` is always the same.
pub unsafe trait Declared: Sized + 'static {
    /// The choices.
    const CONFIG: Config;
    /// One `T` per size class.
    type PerClass<T>;
    /// What the thread-local variable holds.
    type Slot: Slot<Self>;
    /// Bin offsets by size.
    fn direct_table() -> &'static [u16];
    /// The calling thread's variable.
    fn slot() -> *const Self::Slot;
    /// What all threads of the type share.
    fn shared() -> &'static Shared<Self>;
}

/// Shorthands for constants that follow from `CONFIG`.
pub(crate) trait Derived: Declared {
    const CLASSES: usize = Self::CONFIG.class_bytes.len();
    const QUANTUM: usize = Self::CONFIG.quantum();
    const MAX_CLASS_BYTES: usize = Self::CONFIG.max_class_bytes();
    const COUNTS: bool = !matches!(Self::CONFIG.stats, StatsLevel::Off);
    const COUNTS_CLASSES: bool = matches!(Self::CONFIG.stats, StatsLevel::Histogram);

    /// Bytes of a block of this class.
    #[inline(always)]
    fn block_bytes(class: usize) -> usize {
        Self::CONFIG.class_bytes[class] as usize
    }

    /// Bytes of a page of this class.
    #[inline(always)]
    fn page_bytes(class: usize) -> usize {
        Self::CONFIG.page_bytes_for(Self::block_bytes(class))
    }

    /// The calling thread's cache; null when it has none yet.
    #[inline(always)]
    fn cache() -> *const Cache<Self> {
        // SAFETY: the slot is the calling thread's and alive (contract of `Declared`).
        unsafe { (*Self::slot()).cache() }
    }
}

impl<D: Declared> Derived for D {}

/// Element `index` of a `PerClass<T>`.
///
/// # Safety
/// - `all` points to a valid `D::PerClass<T>` and `index < D::CLASSES`.
#[inline(always)]
pub(crate) unsafe fn element<'a, D: Declared, T: 'a>(
    all: *const D::PerClass<T>,
    index: usize,
) -> &'a T {
    // SAFETY: `PerClass<T>` is an array of CLASSES elements (contract of `Declared`).
    unsafe { &*all.cast::<T>().add(index) }
}
