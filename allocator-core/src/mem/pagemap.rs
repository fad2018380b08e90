//! The pagemap: of which declared type and class the blocks are that lie at an address, for frees that are
//! looked at. Two bytes for each slice of the process's addresses, nearly all of which are never touched.
//!
//! 1. The entry of a slice is 0 but while the slice belongs to a page of blocks of a type with a number. Then it is
//!    that number, which is at least 1, and the class, a byte each.
//! 2. The map is reserved once and stays; all of it can be read. What is written to is made writable first,
//!    a part at a time, so that where memory is not overcommitted only parts count.
//! 3. Where the map cannot be had there are no numbers, and none is left for types beyond [`TYPES_MAX`]:
//!    their pages have no entry, and whoever looks a block up finds none.
//!
//! Entries are Relaxed: one is written before the page's first block is handed out, and what hands the
//! block on hands the entry on. In models there is no map.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU64, Ordering};

use super::chunk::SLICE_BYTES;
use super::regions::ADDRESS_BITS;
use crate::os;

/// Slices that addresses of a process can be in, each with an entry.
const SLICES: usize = (1 << ADDRESS_BITS) / SLICE_BYTES;
const MAP_BYTES: usize = SLICES * size_of::<AtomicU16>();
/// Made writable at a time: the entries of 2 GiB.
const PART_SLICES: usize = (2 << 30) / SLICE_BYTES;
const PART_BYTES: usize = PART_SLICES * size_of::<AtomicU16>();
const PARTS: usize = SLICES / PART_SLICES;
/// Types that can have a number.
const TYPES_MAX: u16 = u8::MAX as u16;

/// The map; null before it is reserved.
static MAP: AtomicPtr<AtomicU16> = AtomicPtr::new(ptr::null_mut());

/// Which parts can be written to, a bit each.
static WRITABLE: [AtomicU64; PARTS / 64] = [const { AtomicU64::new(0) }; PARTS / 64];

/// Types that have a number.
static TYPES: AtomicU16 = AtomicU16::new(0);

/// What a declared type is in the map. One that has no number (yet) is in no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(u16);

impl Number {
    pub(crate) const NONE: Self = Self(0);

    /// The entry of a page of blocks of `class` (Inv. 1).
    #[inline(always)]
    fn entry(self, class: usize) -> u16 {
        debug_assert!(class <= u8::MAX as usize);
        self.0 | class as u16
    }
}

/// A declared type's number, once it has one.
pub(crate) struct Registered(AtomicU16);

impl Registered {
    pub(crate) const fn new() -> Self {
        Self(AtomicU16::new(Number::NONE.0))
    }

    pub(crate) fn number(&self) -> Number {
        // Relaxed: who uses the number for the map synchronises with the map.
        Number(self.0.load(Ordering::Relaxed))
    }

    /// Sees that the type has a number, if there is a map and one is left. Of two that do so at a time one
    /// may lose a number.
    pub(crate) fn register(&self) {
        if self.number() != Number::NONE || !reserve() {
            return;
        }
        // Relaxed, all of it: as in number().
        let next = TYPES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |types| {
            (types < TYPES_MAX).then_some(types + 1)
        });
        if let Ok(types) = next {
            let number = (types + 1) << 8;
            let _ = self.0.compare_exchange(
                Number::NONE.0,
                number,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }
}

/// What those who free blocks of one type see of the map: all of it, or, when the type has no number, nothing. All
/// zero is nothing.
#[derive(Clone, Copy)]
pub(crate) struct View {
    entries: *const AtomicU16,
    /// `SLICES`, or 0.
    slices: usize,
    number: Number,
}

impl View {
    pub(crate) const NOTHING: Self = Self {
        entries: ptr::null(),
        slices: 0,
        number: Number::NONE,
    };

    pub(crate) fn of(number: Number) -> Self {
        match number {
            Number::NONE => Self::NOTHING,
            number => Self {
                // Acquire: pairs with the Release in reserve().
                entries: MAP.load(Ordering::Acquire),
                slices: SLICES,
                number,
            },
        }
    }

    /// Whether `block`, which may be any address, lies in a page of blocks of the type and of this class.
    #[inline(always)]
    pub(crate) fn has(self, block: *mut u8, class: usize) -> bool {
        let slice = block.addr() / SLICE_BYTES;
        if slice >= self.slices {
            return false;
        }
        // SAFETY: of `SLICES` entries, all of which can be read (Inv. 2).
        let entry = unsafe { &*self.entries.add(slice) };
        // Relaxed: see the head of the file.
        entry.load(Ordering::Relaxed) == self.number.entry(class)
    }
}

/// Enters a page of blocks of `class`; nothing for a type without a number, or when the OS refuses.
///
/// # Safety
/// - the `slices` from `start` on are the caller's, whole, and all in a page's worth of addresses: a power of two
///   below 2 GiB and aligned to it.
pub(crate) unsafe fn enter(start: *mut u8, slices: usize, number: Number, class: usize) {
    let first = start.addr() / SLICE_BYTES;
    if number != Number::NONE && (is_writable(first) || make_writable(first)) {
        // SAFETY: the caller's promise: all in the part that is writable.
        unsafe { fill(first, slices, number.entry(class)) };
    }
}

/// Takes a page out that is of no type any more; nothing where it has no entry.
///
/// # Safety
/// - as [`enter`].
pub(crate) unsafe fn leave(start: *mut u8, slices: usize, number: Number) {
    let first = start.addr() / SLICE_BYTES;
    if number != Number::NONE && is_writable(first) {
        // SAFETY: as in enter().
        unsafe { fill(first, slices, 0) };
    }
}

/// # Safety
/// - so many entries from the one of slice `first` on can be written to.
unsafe fn fill(first: usize, slices: usize, entry: u16) {
    // Relaxed: what was made writable is there.
    let entries = MAP.load(Ordering::Relaxed);
    for slice in first..first + slices {
        // Relaxed: see the head of the file. SAFETY: the caller's promise.
        unsafe { &*entries.add(slice) }.store(entry, Ordering::Relaxed);
    }
}

/// The word and the bit of the part that the entry of a slice is in.
fn part_of(slice: usize) -> Option<(&'static AtomicU64, u64)> {
    let part = slice / PART_SLICES;
    Some((WRITABLE.get(part / 64)?, 1 << (part % 64)))
}

/// Whether the entry of a slice can be written to.
fn is_writable(slice: usize) -> bool {
    // Acquire: pairs with the Release in make_writable().
    part_of(slice).is_some_and(|(word, bit)| word.load(Ordering::Acquire) & bit != 0)
}

/// Makes the part writable that the entry of a slice is in; false when the OS refuses.
#[cold]
#[inline(never)]
fn make_writable(slice: usize) -> bool {
    // Acquire: pairs with the Release in reserve().
    let entries = MAP.load(Ordering::Acquire);
    let start = entries.wrapping_add(slice - slice % PART_SLICES);
    let (Some(start), Some((word, bit))) = (NonNull::new(start.cast()), part_of(slice)) else {
        return false;
    };
    // SAFETY: part of the map, for there is a number; that it can be written to, too, changes nothing for who
    // reads it.
    let done = unsafe { os::make_writable(start, PART_BYTES) };
    if done {
        // Release: pairs with the Acquire in is_writable(): after the OS has done it.
        word.fetch_or(bit, Ordering::Release);
    }
    done
}

/// Sees that there is a map; false when the addresses cannot be had.
fn reserve() -> bool {
    // Acquire: pairs with the Release below.
    if !MAP.load(Ordering::Acquire).is_null() {
        return true;
    }
    let Some(map) = os::reserve_readable(MAP_BYTES) else {
        return false;
    };
    let entries = map.as_ptr().cast();
    // AcqRel: publishes the mapping, which reads as zero; pairs with the Acquire loads.
    let first = MAP.compare_exchange(
        ptr::null_mut(),
        entries,
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    if first.is_err() {
        // SAFETY: just reserved, and nobody else knows of it.
        unsafe { os::release(map, MAP_BYTES) };
    }
    true
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn number() -> Number {
        let registered = Registered::new();
        registered.register();
        registered.number()
    }

    #[test]
    fn a_page_is_found_by_its_slices_type_and_class_until_it_leaves() {
        let (one, other) = (number(), number());
        assert!(one != Number::NONE && one != other);
        // Addresses that nothing is mapped at: the map knows no difference.
        let start = ptr::without_provenance_mut::<u8>(5 << 40);
        let last = start.wrapping_add(4 * SLICE_BYTES - 1);
        let (of_one, of_other) = (View::of(one), View::of(other));
        assert!(!of_one.has(start, 0));
        // SAFETY: nobody else has these addresses.
        unsafe { enter(start, 4, one, 7) };
        for address in [start, last] {
            assert!(of_one.has(address, 7));
            assert!(!of_one.has(address, 6) && !of_other.has(address, 7));
            assert!(!View::NOTHING.has(address, 7));
        }
        assert!(!of_one.has(last.wrapping_add(1), 7) && !of_one.has(start.wrapping_sub(1), 7));
        // SAFETY: as above.
        unsafe { leave(start, 4, one) };
        assert!(!of_one.has(start, 7) && !of_one.has(last, 7));
    }

    #[test]
    fn the_last_class_of_the_last_type_is_told_from_all_others() {
        let (last, before) = (Number(TYPES_MAX << 8), Number((TYPES_MAX - 1) << 8));
        let start = ptr::without_provenance_mut::<u8>(6 << 40);
        // What the view of a number needs.
        number();
        assert!(!View::of(last).has(start, 255));
        // SAFETY: nobody else has these addresses.
        unsafe { enter(start, 1, last, 255) };
        assert!(View::of(last).has(start, 255));
        assert!(!View::of(last).has(start, 0) && !View::of(before).has(start, 255));
        // SAFETY: as above.
        unsafe { leave(start, 1, last) };
        assert!(!View::of(last).has(start, 255));
    }

    #[test]
    fn what_is_no_address_of_a_process_has_no_entry() {
        let view = View::of(number());
        for address in [0, 1, 1 << ADDRESS_BITS, usize::MAX] {
            assert!(!view.has(ptr::without_provenance_mut(address), 0));
        }
    }
}
