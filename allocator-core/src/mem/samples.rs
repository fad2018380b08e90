//! Sampled blocks: one in many has OS pages of its own, whatever its type and class, so that an
//! overflow or a use after free of it faults where it happens.
//!
//! ```text
//! a slot, 128 KiB
//! ┌───────────────────────┬───────┬────────────────┬───────┬───────────────────┐
//! │ guard, or never used  │ guard │ …       block  │ guard │ never used        │
//! └───────────────────────┴───────┴────────────────┴───────┴───────────────────┘
//! 0                               whole OS pages   64 KiB
//! ```
//!
//! The block ends where its guard begins; it has its class's alignment, because 64 KiB are a multiple
//! of that. Once it is freed all of the slot is a guard until so many others have been freed that its
//! turn comes again.
//!
//! Nothing here is locked: slots are claimed by bits, so a fork can happen at any point.
//!
//! 1. A slot's bit in `TAKEN` is set from when a block is made in it until it has left the ring of
//!    those that were freed last.
//! 2. A slot serves one tenant for good.
//! 3. Of two frees of a block one finds `is_live` set, and clears it.

use core::ptr::{self, NonNull};

use super::arena;
use super::tenant::Tenant;
use crate::base::align::align_up;
use crate::base::bitmap::Bitmap;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use crate::config::Fault;
use crate::os::guard::{self, Means};
use crate::os::{self, OS_PAGE_BYTES};

/// Slots, so blocks that are sampled at a time. Each live one takes an OS page at least.
const SLOTS: usize = 512;
const SLOT_BYTES: usize = 128 << 10;
/// Where in its slot a block ends.
const BLOCK_END: usize = 64 << 10;
/// Blocks over this are not sampled: there is no room for the guard before it.
const BLOCK_BYTES_MAX: usize = BLOCK_END - OS_PAGE_BYTES;
const REGION_BYTES: usize = SLOTS * SLOT_BYTES;
/// Freed blocks that stay guarded.
const RING: usize = 64;
const WORDS: usize = SLOTS / 64;

/// What is known of a slot. All zero is one that was never used.
struct Slot {
    /// Whether a block is there that nobody has freed.
    is_live: AtomicBool,
    /// By what means its guards are guards.
    means: AtomicU8,
    /// Bytes of the block that is or was there last.
    block_bytes: AtomicU32,
    /// The type of that block.
    type_id: AtomicPtr<()>,
    /// Inv. 2.
    tenant: AtomicPtr<Tenant>,
}

/// Where the slots are; an address that no block is near before they are anywhere.
static REGION: AtomicPtr<u8> = AtomicPtr::new(NOWHERE);
const NOWHERE: *mut u8 = ptr::without_provenance_mut(usize::MAX / 2);

static SLOT_TABLE: [Slot; SLOTS] = [const {
    Slot {
        is_live: AtomicBool::new(false),
        means: AtomicU8::new(0),
        block_bytes: AtomicU32::new(0),
        type_id: AtomicPtr::new(ptr::null_mut()),
        tenant: AtomicPtr::new(ptr::null_mut()),
    }
}; SLOTS];
/// Inv. 1.
static TAKEN: Bitmap<WORDS> = Bitmap::new();
/// The slots that were freed last, + 1; 0 for none.
static LAST_FREED: [AtomicUsize; RING] = [const { AtomicUsize::new(0) }; RING];
static NEXT_FREED: AtomicUsize = AtomicUsize::new(0);

/// Whether an address lies in a slot.
#[inline(always)]
pub(crate) fn contains(address: *mut u8) -> bool {
    // Relaxed: written before the first address in it is handed out, and what hands that on hands
    // this on.
    let region = REGION.load(Ordering::Relaxed);
    address.addr().wrapping_sub(region.addr()) < REGION_BYTES
}

/// A sampled block: zeroed, of `block_bytes`, of the type that `type_id` identifies. `None` when there
/// is no slot or no guard to be had, or the block is too large.
pub(crate) fn allocate(
    type_id: *const (),
    tenant: &'static Tenant,
    block_bytes: usize,
) -> Option<NonNull<u8>> {
    if block_bytes > BLOCK_BYTES_MAX {
        return None;
    }
    let region = region()?;
    let tenant = ptr::from_ref(tenant).cast_mut();
    let (index, slot) = SLOT_TABLE.iter().enumerate().find(|(index, slot)| {
        // Relaxed: what has a tenant keeps it; what has none is looked at again below.
        let of = slot.tenant.load(Ordering::Relaxed);
        (of.is_null() || of == tenant) && TAKEN.try_claim(*index, 1)
    })?;
    // Relaxed: whoever has the slot's bit has it alone.
    let of = slot.tenant.load(Ordering::Relaxed);
    let is_ours = of.is_null() || of == tenant;
    slot.tenant
        .store(if is_ours { tenant } else { of }, Ordering::Relaxed);
    // SAFETY: within the region.
    let start = unsafe { region.add(index * SLOT_BYTES) };
    // SAFETY: the slot is this thread's alone.
    if !is_ours || !unsafe { slot.open(start, block_bytes) } {
        TAKEN.release(index, 1);
        return None;
    }
    slot.block_bytes
        .store(block_bytes as u32, Ordering::Relaxed);
    slot.type_id.store(type_id.cast_mut(), Ordering::Relaxed);
    // Release: pairs with the Acquire in free().
    slot.is_live.store(true, Ordering::Release);
    // SAFETY: within the slot.
    Some(unsafe { start.add(BLOCK_END - block_bytes) })
}

/// Bytes of the OS pages that a block of this size takes.
pub(crate) fn pages_bytes(block_bytes: usize) -> usize {
    align_up(block_bytes, OS_PAGE_BYTES)
}

/// Where in a slot the OS pages of a block begin.
fn pages_start(block_bytes: usize) -> usize {
    BLOCK_END - pages_bytes(block_bytes)
}

impl Slot {
    /// Makes room for a block, with a guard before it and one behind it; false when that cannot be had.
    ///
    /// # Safety
    /// - the slot at `start` is the caller's alone, and nothing in it is needed.
    unsafe fn open(&self, start: NonNull<u8>, block_bytes: usize) -> bool {
        // Relaxed: the slot is the caller's, here and below.
        let mut means = Means::from_bits(self.means.load(Ordering::Relaxed));
        if means == Means::NONE {
            // SAFETY: within the slot, which is the caller's.
            let closed = unsafe { guard::install(start, BLOCK_END + OS_PAGE_BYTES, means) };
            let Some(closed) = closed else {
                return false;
            };
            means = closed;
            self.means.store(means.to_bits(), Ordering::Relaxed);
        }
        let from = pages_start(block_bytes);
        // SAFETY: as above.
        unsafe { guard::remove(start.add(from), BLOCK_END - from, means, 0) }
    }

    /// Makes all of the slot a guard again.
    ///
    /// # Safety
    /// - as [`Slot::open`].
    unsafe fn close(&self, start: NonNull<u8>, block_bytes: usize) {
        // Relaxed: as in open().
        let means = Means::from_bits(self.means.load(Ordering::Relaxed));
        let from = pages_start(block_bytes);
        // SAFETY: as in open().
        let closed = unsafe { guard::install(start.add(from), BLOCK_END - from, means) };
        match closed {
            Some(means) => self.means.store(means.to_bits(), Ordering::Relaxed),
            // The memory goes all the same, for the next block is to be zero.
            None => {
                // SAFETY: as above.
                let _ = unsafe { os::purge(start.add(from), BLOCK_END - from) };
            }
        }
    }
}

/// The region, made if there is none. `None` without memory.
fn region() -> Option<NonNull<u8>> {
    // Relaxed: an address, which nothing is published by.
    let now = REGION.load(Ordering::Relaxed);
    if now != NOWHERE {
        return NonNull::new(now);
    }
    let made = os::reserve(REGION_BYTES, SLOT_BYTES, arena::next_hint(REGION_BYTES))?;
    // Relaxed: as above.
    let raced =
        REGION.compare_exchange(NOWHERE, made.as_ptr(), Ordering::Relaxed, Ordering::Relaxed);
    match raced {
        Ok(_) => Some(made),
        Err(theirs) => {
            // SAFETY: just mapped, and nobody knows of it.
            unsafe { os::release(made, REGION_BYTES) };
            NonNull::new(theirs)
        }
    }
}

/// Where an address that [`contains`] says yes to lies: the slot's index, and the offset in it.
fn place_of(address: NonNull<u8>) -> Option<(usize, &'static Slot, usize)> {
    // Relaxed: as in contains().
    let offset = address.addr().get() - REGION.load(Ordering::Relaxed).addr();
    let index = offset / SLOT_BYTES;
    Some((index, SLOT_TABLE.get(index)?, offset % SLOT_BYTES))
}

/// Bytes of the block of the type that `type_id` identifies that is or was last at an address which
/// [`contains`] says yes to; `None` when no block of it started there.
pub(crate) fn block_bytes(block: NonNull<u8>, type_id: *const ()) -> Option<usize> {
    let (_, slot, offset) = place_of(block)?;
    // Relaxed: who has the block has synchronised with who made it.
    let bytes = slot.block_bytes.load(Ordering::Relaxed) as usize;
    let is_start = offset + bytes == BLOCK_END;
    let is_of_type = ptr::eq(slot.type_id.load(Ordering::Relaxed), type_id);
    (is_start && is_of_type).then_some(bytes)
}

/// Frees a block at an address that [`contains`] says yes to. What is wrong with it otherwise; nothing is
/// done then.
///
/// # Safety
/// - if there is a live block of this type and size at `block`, its user gave it back.
pub(crate) unsafe fn free(
    block: NonNull<u8>,
    type_id: *const (),
    bytes: usize,
) -> Result<(), Fault> {
    let (index, slot, offset) = place_of(block).ok_or(Fault::NotOurs)?;
    // Relaxed: as in block_bytes().
    let block_bytes = slot.block_bytes.load(Ordering::Relaxed) as usize;
    if offset + block_bytes != BLOCK_END {
        return Err(Fault::NotABlock);
    }
    if !ptr::eq(slot.type_id.load(Ordering::Relaxed), type_id) {
        return Err(Fault::OtherType);
    }
    if block_bytes != bytes {
        return Err(Fault::OtherClass);
    }
    // Acquire: pairs with the Release in allocate().
    if !slot.is_live.swap(false, Ordering::Acquire) {
        return Err(Fault::DoubleFree);
    }
    // SAFETY: the slot of the block.
    let start = unsafe { block.sub(offset) };
    // SAFETY: the block was live and its user gave it back, and only this call found it so (Inv. 3).
    unsafe { slot.close(start, block_bytes) };
    // Relaxed: any place will do.
    let turn = NEXT_FREED.fetch_add(1, Ordering::Relaxed) % RING;
    if let Some(place) = LAST_FREED.get(turn) {
        // AcqRel: hands the slot to who takes it out, and takes the one that was there.
        if let Some(oldest) = place.swap(index + 1, Ordering::AcqRel).checked_sub(1) {
            TAKEN.release(oldest, 1);
        }
    }
    Ok(())
}
