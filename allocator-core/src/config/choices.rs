//! What a declared type chose, as the layers above see it: constants of a type
//! parameter, so that every branch on them is decided at compile time.

use super::size_class::is_multiple;
use super::{Config, Export, OnCorruption, StatsLevel};

/// The choices of a declared type.
///
/// # Safety
/// - `PerClass<T>` is `[T; CONFIG.class_bytes.len()]`, or one longer where `CONFIG.export` is not
///   `Off`: the last is of no class;
/// - `PerWaitingClass<T>` is `[T; CONFIG.class_bytes.len()]`, if the type has a quarantine;
/// - `start_table` is `start_table(CONFIG.class_bytes)`;
/// - `direct_table` is `direct_table(CONFIG.class_bytes)` up to `CONFIG.fast_path.direct_max`.
pub unsafe trait Choices: Sized + 'static {
    /// The choices.
    const CONFIG: Config;
    /// One `T` per size class, and one of no class where a free is not told the layout.
    type PerClass<T>;
    /// One `T` per size class whose freed blocks wait; none without `hardening(quarantine)`.
    type PerWaitingClass<T>;
    /// Bin offsets by size.
    fn direct_table() -> &'static [u16];
    /// What `start_factor` says of each class.
    fn start_table() -> &'static [u64];
}

/// Shorthands for what follows from `CONFIG`.
pub(crate) trait Derived: Choices {
    const CLASSES: usize = Self::CONFIG.class_bytes.len();
    const QUANTUM: usize = Self::CONFIG.quantum();
    const MAX_CLASS_BYTES: usize = Self::CONFIG.max_class_bytes();
    /// Whether bins have a random mode.
    const CACHES: bool = Self::CONFIG.fast_path.cache > 0;
    const COUNTS: bool = !matches!(Self::CONFIG.stats, StatsLevel::Off);
    /// Whether requests are recorded, by alignment and size.
    const RECORDS: bool = matches!(Self::CONFIG.stats, StatsLevel::Histogram);
    /// Whether allocations and frees are counted, which the record says as well.
    const COUNTS_BLOCKS: bool = Self::COUNTS && !Self::RECORDS;
    /// Whether blocks are freed by who does not know their layout, so that it is written down.
    const EXPORTS: bool = !matches!(Self::CONFIG.export, Export::Off);
    /// Links of free blocks are keyed and checked, and a free block is signed as one.
    const LINKS: bool = Self::CONFIG.hardening.links;
    /// A freed pointer is checked to be the start of a block of the right type and class.
    const PAGES: bool = Self::CONFIG.hardening.pages;
    /// The same at the beginning of a free or resize, as debug builds do for types that trust the program otherwise.
    const DISTRUSTS: bool = Self::PAGES || cfg!(all(debug_assertions, not(loom)));
    /// Headers of pages and the heaps of threads lie between addresses that fault, and huge blocks before some.
    const HEADERS: bool = Self::CONFIG.hardening.headers;
    /// Addresses that fault lie behind pages and blocks from 1 MiB on that are not in huge pages of the hardware.
    const ENDS: bool = Self::GUARDS || Self::CONFIG.hardening.ends;
    /// Addresses that fault lie behind pages, large and huge blocks.
    const GUARDS: bool = Self::CONFIG.hardening.guards;
    /// Addresses that blocks of this type have had serve no other type.
    const ISOLATE: bool = Self::CONFIG.hardening.isolate;
    /// Eight bytes behind each block are signed, and checked when it is freed.
    const CANARIES: bool = Self::CONFIG.hardening.canaries;
    /// A freed block that is not huge is cleared, and checked to be so still when its memory is used again.
    const ZERO: bool = Self::CONFIG.hardening.zero;
    /// Headers of slices say what guard is at their ends, and whether they have been cleared.
    const NOTES: bool = Self::ENDS || Self::ZERO || Self::LINKS;
    /// Fresh blocks are handed out in random order.
    const SHUFFLE: bool = Self::CONFIG.hardening.shuffle;
    /// Bytes of freed blocks that wait per heap before they can be used again; 0 is off.
    const QUARANTINE: usize = Self::CONFIG.hardening.quarantine_bytes as usize;
    /// One block in so many has OS pages of its own; 0 is off.
    const SAMPLE: u32 = Self::CONFIG.hardening.sample;
    /// AddressSanitizer is told of free blocks. Not where the allocator clears them and looks through them,
    /// has a canary or a record's word in them.
    const TELLS: bool = cfg!(allocator_track)
        && !Self::ZERO
        && !Self::CANARIES
        && !(Self::EXPORTS && Self::RECORDS);
    /// How the process ends when misuse is found.
    const ON_CORRUPTION: OnCorruption = Self::CONFIG.on_corruption;

    /// Bytes of a block of this class.
    #[inline(always)]
    fn block_bytes(class: usize) -> usize {
        debug_assert!(class < Self::CLASSES);
        // SAFETY: classes are numbered by the list.
        unsafe { *Self::CONFIG.class_bytes.get_unchecked(class) as usize }
    }

    /// Whether a block of this class starts `offset` bytes into its page.
    #[inline(always)]
    fn is_block_start(offset: usize, class: usize) -> bool {
        debug_assert!(class < Self::CLASSES);
        // SAFETY: the table has an entry for every class (contract of `Choices`).
        let factor = unsafe { *Self::start_table().get_unchecked(class) };
        is_multiple(offset, factor)
    }

    /// Bytes of a page of this class.
    #[inline(always)]
    fn page_bytes(class: usize) -> usize {
        Self::CONFIG.page_bytes_for(Self::block_bytes(class))
    }
}

impl<C: Choices> Derived for C {}

/// Element `index` of a `PerClass<T>`.
///
/// # Safety
/// - `all` points to a valid `C::PerClass<T>` and `index < C::CLASSES`.
#[inline(always)]
pub(crate) unsafe fn element<'a, C: Choices, T: 'a>(
    all: *const C::PerClass<T>,
    index: usize,
) -> &'a T {
    // SAFETY: `PerClass<T>` is an array of at least CLASSES elements (contract of `Choices`).
    unsafe { &*all.cast::<T>().add(index) }
}
