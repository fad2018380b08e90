//! The live huge blocks of types that check or guard, and of all types in debug builds: such a block has
//! no header that could tell what it is. Of other types nothing is noted, and nothing of this is left.
//!
//! A table of fixed size without a lock: an address has one of a few places,
//! and only who has the block looks for it. A fork can happen at any point.
//!
//! 1. A place is of the block at `start` from the block's mapping to its unmapping, so no address
//!    has two. Who takes the block out of it has the block: of two frees at once one finds nothing.
//! 2. While nothing was ever left out, a block that is not in the table is not there.

use core::ptr::{self, NonNull};

use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use crate::config::choices::{Choices, Derived};
use crate::os::OS_PAGE_BYTES;
use crate::os::guard::Means;

/// Blocks that can be noted: twice as many as a process can have mappings. Untouched until used.
const PLACES: usize = 1 << 17;
/// Places that an address may have, in a row.
const REACH: usize = 64;

/// What is noted of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    /// Identifies the type that it is of.
    pub(super) owner: *const (),
    /// Bytes of the block.
    pub(super) bytes: usize,
    /// By what means what is behind it is a guard.
    pub(super) guard: Means,
}

/// A block and what is noted of it.
struct Place {
    /// Where the block starts; null: the place is free.
    start: AtomicPtr<u8>,
    owner: AtomicPtr<()>,
    bytes: AtomicUsize,
    guard: AtomicU8,
}

static TABLE: [Place; PLACES] = [const {
    Place {
        start: AtomicPtr::new(ptr::null_mut()),
        owner: AtomicPtr::new(ptr::null_mut()),
        bytes: AtomicUsize::new(0),
        guard: AtomicU8::new(0),
    }
}; PLACES];
/// Whether a block was left out because all its places were taken.
static LEFT_OUT: AtomicBool = AtomicBool::new(false);

/// What is known of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is there.
    Block(Noted),
    /// There is no huge block of a type that notes at this address (Inv. 2).
    NotThere,
    /// Nothing.
    Nothing,
}

/// Blocks that were taken out last, so that a second free can be told from other mistakes.
const FREED: usize = 64;
static LAST_FREED: [AtomicPtr<u8>; FREED] = [const { AtomicPtr::new(ptr::null_mut()) }; FREED];
static NEXT_FREED: AtomicUsize = AtomicUsize::new(0);

/// Whether the type's huge blocks are noted: a constant.
pub(super) const fn notes<C: Choices>() -> bool {
    C::DISTRUSTS || C::CONFIG.huge_guard_bytes() > 0
}

/// The places that an address may have.
fn places(start: *mut u8) -> impl Iterator<Item = &'static Place> {
    let hash = (start.addr() / OS_PAGE_BYTES).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (hash..hash + REACH).filter_map(|place| TABLE.get(place % PLACES))
}

fn place_of(start: *mut u8) -> Option<&'static Place> {
    // Relaxed: who has the block has synchronised with who noted it.
    places(start).find(|place| place.start.load(Ordering::Relaxed) == start)
}

impl Place {
    fn read(&self) -> Noted {
        // Relaxed: as in place_of().
        Noted {
            owner: self.owner.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            guard: Means::from_bits(self.guard.load(Ordering::Relaxed)),
        }
    }
}

/// Notes the block at `start`, just mapped, without a guard; false when it is left out.
pub(super) fn note(start: NonNull<u8>, owner: *const (), bytes: usize) -> bool {
    let start = start.as_ptr();
    let taken = places(start).find(|place| {
        // Acquire: pairs with the Release in take(), so that what is written below is the later.
        place
            .start
            .compare_exchange(ptr::null_mut(), start, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    });
    match taken {
        Some(place) => {
            // Relaxed: only who gets the block from this thread looks for it.
            place.owner.store(owner.cast_mut(), Ordering::Relaxed);
            place.bytes.store(bytes, Ordering::Relaxed);
            place.guard.store(Means::NONE.to_bits(), Ordering::Relaxed);
        }
        // Relaxed: as above.
        None => LEFT_OUT.store(true, Ordering::Relaxed),
    }
    taken.is_some()
}

/// Takes the block at `start` out, which is about to be unmapped or moved by who has it.
pub(super) fn take(start: NonNull<u8>) -> Known {
    let Some(place) = place_of(start.as_ptr()) else {
        return unknown();
    };
    let noted = place.read();
    // Release: pairs with the Acquire in note().
    let taken = place.start.compare_exchange(
        start.as_ptr(),
        ptr::null_mut(),
        Ordering::Release,
        Ordering::Relaxed,
    );
    match taken {
        Ok(_) => Known::Block(noted),
        Err(_) => unknown(),
    }
}

/// What is known of the block that starts at `start`.
pub(super) fn known(start: *mut u8) -> Known {
    match place_of(start) {
        Some(place) => Known::Block(place.read()),
        None => unknown(),
    }
}

/// Notes by what means what is behind the block at `start`, the caller's own, is a guard.
pub(super) fn set_guard(start: NonNull<u8>, guard: Means) {
    if let Some(place) = place_of(start.as_ptr()) {
        // Relaxed: as in note().
        place.guard.store(guard.to_bits(), Ordering::Relaxed);
    }
}

/// Remembers for a while that the block at `start`, which was taken out, is freed.
pub(super) fn note_freed(start: NonNull<u8>) {
    // Relaxed: for the message only, here and below.
    let next = NEXT_FREED.fetch_add(1, Ordering::Relaxed) % FREED;
    if let Some(place) = LAST_FREED.get(next) {
        place.store(start.as_ptr(), Ordering::Relaxed);
    }
}

/// Whether a block at `start` was freed lately.
pub(super) fn was_freed(start: *mut u8) -> bool {
    let mut freed = LAST_FREED.iter();
    // Relaxed: as above.
    freed.any(|place| place.load(Ordering::Relaxed) == start)
}

/// Whether `address` lies in a block. Looks at the whole table.
pub(super) fn is_inside(address: *mut u8) -> bool {
    TABLE.iter().any(|place| {
        // Relaxed: for the message only.
        let start = place.start.load(Ordering::Relaxed);
        !start.is_null() && address.addr().wrapping_sub(start.addr()) < place.read().bytes
    })
}

/// What is known of a block that is not in the table.
fn unknown() -> Known {
    // Relaxed: set, if at all, before the block was handed out.
    if LEFT_OUT.load(Ordering::Relaxed) {
        Known::Nothing
    } else {
        Known::NotThere
    }
}
