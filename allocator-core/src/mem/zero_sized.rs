//! Blocks of no bytes, for C's `malloc(0)` under guards: addresses that differ, none of which can be
//! read or written.
//!
//! A region that is a guard for good, of which each block takes 16 bytes of addresses. Nothing here is
//! locked: addresses are claimed by bits.

use core::ptr::{self, NonNull};

use super::arena;
use crate::base::bitmap::Bitmap;
use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::config::Fault;
use crate::os::guard::{self, Means};
use crate::os::{self, OS_PAGE_BYTES};

/// Addresses from one block to the next: C's alignment.
const STEP: usize = 16;
const WORDS: usize = 1024;
/// Blocks at a time.
const BLOCKS: usize = WORDS * 64;
const REGION_BYTES: usize = BLOCKS * STEP;
/// Addresses that are tried, one after the other: a freed one is to rest as long as may be.
const TRIES: usize = 64;

/// Where the region is; an address that no block is near before it is anywhere.
static REGION: AtomicPtr<u8> = AtomicPtr::new(NOWHERE);
const NOWHERE: *mut u8 = ptr::without_provenance_mut(usize::MAX / 2);
/// The blocks that are not freed.
static LIVE: Bitmap<WORDS> = Bitmap::new();
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Whether an address lies in the region.
pub(crate) fn contains(address: *mut u8) -> bool {
    // Relaxed: written before the first address in it is handed out, and what hands that on hands
    // this on.
    let region = REGION.load(Ordering::Relaxed);
    address.addr().wrapping_sub(region.addr()) < REGION_BYTES
}

/// A block of no bytes. `None` when there is none, for which one of some bytes will do.
pub(crate) fn allocate() -> Option<NonNull<u8>> {
    let region = region()?;
    // Relaxed: any address will do.
    let next = || Some(NEXT.fetch_add(1, Ordering::Relaxed) % BLOCKS);
    let index = (0..TRIES).find_map(|_| next().filter(|&index| LIVE.try_claim(index, 1)))?;
    // SAFETY: within the region.
    Some(unsafe { region.add(index * STEP) })
}

/// The region, made if there is none. `None` without memory, or when it cannot be a guard.
fn region() -> Option<NonNull<u8>> {
    // Relaxed: an address, which nothing is published by.
    let now = REGION.load(Ordering::Relaxed);
    if now != NOWHERE {
        return NonNull::new(now);
    }
    let made = os::reserve(REGION_BYTES, OS_PAGE_BYTES, arena::next_hint(REGION_BYTES))?;
    // SAFETY: just mapped, and nobody knows of it.
    let means = unsafe { guard::install(made, REGION_BYTES, Means::NONE) };
    // Relaxed: as above.
    let raced = means.ok_or(NOWHERE).and_then(|_| {
        REGION.compare_exchange(NOWHERE, made.as_ptr(), Ordering::Relaxed, Ordering::Relaxed)
    });
    let Err(other) = raced else {
        return Some(made);
    };
    // SAFETY: as above.
    if unsafe { os::release(made, REGION_BYTES) } {
        guard::forget(means.map_or(0, guard::count));
    }
    NonNull::new(other).filter(|_| other != NOWHERE)
}

/// Frees a block at an address that [`contains`] says yes to. What is wrong with it otherwise.
pub(crate) fn free(block: NonNull<u8>) -> Result<(), Fault> {
    // Relaxed: as in contains().
    let offset = block.addr().get() - REGION.load(Ordering::Relaxed).addr();
    if !offset.is_multiple_of(STEP) {
        return Err(Fault::NotABlock);
    }
    match LIVE.clear(offset / STEP, 1) {
        1 => Ok(()),
        _ => Err(Fault::DoubleFree),
    }
}
