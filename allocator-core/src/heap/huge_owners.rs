//! Which type each live huge block is of, for debug builds: such a block has no
//! header that could tell. Without debug assertions nothing is noted, and
//! nothing of this is left.
//!
//! A table of fixed size without a lock: an address has one of a few places,
//! and only who has the block looks for it. A fork can happen at any point.
//!
//! 1. A place is of the block at `start` from the block's mapping to its unmapping, so no address
//!    has two.
//! 2. While nothing was ever left out, a block that is not in the table is not there.

use core::ptr::{self, NonNull};

use crate::base::sync::{AtomicBool, AtomicPtr, Ordering};
use crate::os::OS_PAGE_BYTES;

/// Whether anything is noted at all.
const NOTES: bool = cfg!(debug_assertions);
/// Blocks that can be noted: 32 GiB of them at least.
const PLACES: usize = 4096;
/// Places that an address may have, in a row.
const REACH: usize = 64;

/// A block and the type that it is of.
struct Place {
    /// Where the block starts; null: the place is free.
    start: AtomicPtr<u8>,
    owner: AtomicPtr<()>,
}

static TABLE: [Place; PLACES] = [const {
    Place {
        start: AtomicPtr::new(ptr::null_mut()),
        owner: AtomicPtr::new(ptr::null_mut()),
    }
}; PLACES];
/// Whether a block was left out because all its places were taken.
static LEFT_OUT: AtomicBool = AtomicBool::new(false);

/// What is known of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is of the type that this identifies.
    Of(*const ()),
    /// There is no huge block at this address (Inv. 2).
    NotThere,
    /// Nothing.
    Nothing,
}

/// The places that an address may have.
fn places(start: *mut u8) -> impl Iterator<Item = &'static Place> {
    let hash = (start.addr() / OS_PAGE_BYTES).wrapping_mul(0x9e37_79b9) >> 16;
    (hash..hash + REACH).map(|place| &TABLE[place % PLACES])
}

fn place_of(start: *mut u8) -> Option<&'static Place> {
    // Relaxed: who has the block has synchronised with who noted it.
    places(start).find(|place| place.start.load(Ordering::Relaxed) == start)
}

/// The block at `start`, just mapped, is of the type that `owner` identifies.
pub(super) fn note(start: NonNull<u8>, owner: *const ()) {
    if !NOTES {
        return;
    }
    let start = start.as_ptr();
    let taken = places(start).find(|place| {
        // Acquire: pairs with the Release in forget(), so that the owner below is the later one.
        place
            .start
            .compare_exchange(ptr::null_mut(), start, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    });
    match taken {
        // Relaxed: only who gets the block from this thread looks for it.
        Some(place) => place.owner.store(owner.cast_mut(), Ordering::Relaxed),
        // Relaxed: as above.
        None => LEFT_OUT.store(true, Ordering::Relaxed),
    }
}

/// The block at `start` is about to be unmapped or moved, by who has it.
pub(super) fn forget(start: NonNull<u8>) {
    if NOTES && let Some(place) = place_of(start.as_ptr()) {
        // Release: pairs with the Acquire in note().
        place.start.store(ptr::null_mut(), Ordering::Release);
    }
}

/// What is known of the block that starts at `start`.
pub(super) fn known(start: *mut u8) -> Known {
    match place_of(start) {
        // Relaxed: as in place_of().
        Some(place) => Known::Of(place.owner.load(Ordering::Relaxed)),
        // Relaxed: set, if at all, before the block was handed out.
        None if NOTES && !LEFT_OUT.load(Ordering::Relaxed) => Known::NotThere,
        None => Known::Nothing,
    }
}
