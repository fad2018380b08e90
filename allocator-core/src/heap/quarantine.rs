//! The quarantine: with `hardening(quarantine = N)` blocks of classes that the owner of a heap freed, be they
//! of its pages or of others', wait here before anybody can have them again. While they wait they are free
//! blocks like any other, so one that is freed again or written to is found as the rest of `hardening` has it.
//!
//! They wait in batches: a list each, signed as any list is, so that a block is signed once when it comes and
//! adding it is as cheap as a push. Batches go first in, first out, each all at once. The owner's inside the
//! gate, and a visitor's that it let in: one sends home what waits once the owner has begun no batch for the delay of `purge`,
//! because a block that waits keeps a page of a thread that may be idle for long.
//!
//! ```text
//! older[first] … older[first + count - 1]   young
//! the oldest, the next to go                the one that is being filled
//! ```
//!
//! 1. A batch takes at most a sixteenth of N, or is one block. Blocks of a batch count as used in their pages.
//! 2. Two batches that follow one another take more than a sixteenth of N together, so there is always a place
//!    for the next one: 32 would take more than N.
//! 3. `older_bytes` and `young_bytes` are what waits; more than N together only while a block is being added.

use core::ptr;

use crate::base::sync::{AtomicU64, AtomicUsize, Cell, Ordering};
use crate::config::choices::{Choices, Derived};
use crate::config::size_class::BIN_BYTES;
use crate::mem::block::Block;
use crate::mem::due;
use crate::mem::page::Page;
use crate::os;

/// Parts of N that a batch is at most one of: the more, the longer waits the block that goes first; the fewer,
/// the seldomer the fast path is left.
const PARTS: usize = 16;
/// Inv. 2.
const PLACES: usize = 2 * PARTS;

/// Blocks that wait. All zero is none.
pub(super) struct Quarantine {
    /// The youngest block of the batch that is being filled; null for none.
    young: Cell<*mut Block>,
    /// Inv. 3.
    young_bytes: AtomicUsize,
    /// Inv. 3.
    older_bytes: AtomicUsize,
    /// When a batch was last begun, in ms. Read by who considers a visit.
    begun_ms: AtomicU64,
    /// Where the oldest batch is.
    first: Cell<usize>,
    /// Batches behind the one that is being filled.
    count: Cell<usize>,
    older: [Batch; PLACES],
}

/// A batch that is full.
struct Batch {
    /// Its youngest block.
    youngest: Cell<*mut Block>,
    bytes: Cell<usize>,
}

impl Quarantine {
    /// Whether nothing waits; a hint outside the gate.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        bytes(&self.young_bytes) == 0 && bytes(&self.older_bytes) == 0
    }

    /// Whether the type has a quarantine and something waits; a hint outside the gate.
    pub(super) fn is_in_use<C: Choices>(&self) -> bool {
        C::QUARANTINE > 0 && !self.is_empty()
    }

    /// Whether something waits, and no batch has been begun since `until_ms`; a hint outside the gate.
    pub(super) fn is_left_alone(&self, until_ms: u64) -> bool {
        // Relaxed: a hint.
        !self.is_empty() && self.begun_ms.load(Ordering::Relaxed) <= until_ms
    }

    /// Most bytes of a batch of more than one block.
    const fn most<C: Choices>() -> usize {
        C::QUARANTINE / PARTS
    }

    /// Whether a block of `class` may be added to the batch that is being filled, and no more need be done.
    #[inline(always)]
    pub(super) fn has_room<C: Choices>(&self, class: usize) -> bool {
        bytes(&self.young_bytes) + C::block_bytes(class) <= Self::most::<C>()
    }

    /// Adds a block to the batch that is being filled. Inside the gate.
    ///
    /// # Safety
    /// - `block` is a block of `class` that its user gave back, and there is room.
    #[inline(always)]
    pub(super) unsafe fn add<C: Choices>(&self, class: usize, block: *mut Block) {
        // SAFETY: given back by its user.
        unsafe { Block::set_next::<C>(block, self.young.get()) };
        self.young.set(block);
        set_bytes(
            &self.young_bytes,
            bytes(&self.young_bytes) + C::block_bytes(class),
        );
    }

    /// Adds a block, where there is no room for it in the batch to the next one. Inside the gate.
    ///
    /// # Safety
    /// - `block` is a block of `class` that its user gave back.
    pub(super) unsafe fn add_to_next<C: Choices>(&self, class: usize, block: *mut Block) {
        if !self.has_room::<C>(class) {
            self.close();
        }
        // SAFETY: the caller's promise; the batch is empty, if it had no room.
        unsafe { self.add::<C>(class, block) };
        let now_ms = os::now_ms();
        // Relaxed: as in is_left_alone().
        self.begun_ms.store(now_ms, Ordering::Relaxed);
        // The thread may sleep from now on; then a visitor sends what waits.
        due::after(now_ms, C::CONFIG.purge);
    }

    /// Has the next block begin a batch.
    fn close(&self) {
        let bytes_now = bytes(&self.young_bytes);
        if bytes_now == 0 {
            return;
        }
        let place = (self.first.get() + self.count.get()) % PLACES;
        debug_assert!(self.count.get() < PLACES, "quarantine invariant 2");
        if let Some(batch) = self.older.get(place) {
            batch.youngest.set(self.young.replace(ptr::null_mut()));
            batch.bytes.set(bytes_now);
            self.count.set(self.count.get() + 1);
            set_bytes(&self.older_bytes, bytes(&self.older_bytes) + bytes_now);
            set_bytes(&self.young_bytes, 0);
        }
    }

    /// Takes the oldest batch, its youngest block first, if what waits takes more than `most` bytes, or would
    /// when the last batch is full; null otherwise. Inside the gate.
    pub(super) fn take_over<C: Choices>(&self, most: usize) -> *mut Block {
        let (young, older) = (bytes(&self.young_bytes), bytes(&self.older_bytes));
        if older > 0 && older + young.max(Self::most::<C>().min(most)) > most {
            let first = self.first.get();
            let Some(batch) = self.older.get(first) else {
                return ptr::null_mut();
            };
            self.first.set((first + 1) % PLACES);
            self.count.set(self.count.get() - 1);
            set_bytes(&self.older_bytes, older - batch.bytes.get());
            return batch.youngest.get();
        }
        if young > most {
            set_bytes(&self.young_bytes, 0);
            return self.young.replace(ptr::null_mut());
        }
        ptr::null_mut()
    }

    /// Asserts the invariants.
    pub(super) fn check<C: Choices>(&self) {
        let young = bytes(&self.young_bytes);
        assert_eq!(bytes_of::<C>(self.young.get()), young, "quarantine: young");
        let places = (0..self.count.get()).map(|index| (self.first.get() + index) % PLACES);
        let (mut older, mut before) = (0, usize::MAX);
        for batch in places.filter_map(|place| self.older.get(place)) {
            let bytes = batch.bytes.get();
            let youngest = batch.youngest.get();
            assert_eq!(bytes_of::<C>(youngest), bytes, "quarantine: older");
            assert!(
                before.saturating_add(bytes) > Self::most::<C>(),
                "quarantine invariant 2"
            );
            (older, before) = (older + bytes, bytes);
        }
        assert_eq!(older, bytes(&self.older_bytes), "quarantine invariant 3");
        assert!(young + older <= C::QUARANTINE, "quarantine invariant 3");
    }
}

/// The class of a block that waits.
///
/// # Safety
/// - `block` was taken from or is in a quarantine of a heap of type `C`.
#[inline(always)]
pub(super) unsafe fn class_of(block: *mut Block) -> usize {
    // SAFETY: a block of a page, where its class's bin was noted, because the type has a quarantine.
    unsafe { Page::bin_of(block.cast()) as usize / BIN_BYTES }
}

#[inline(always)]
fn bytes(of: &AtomicUsize) -> usize {
    // Relaxed: written inside the gate only, and a hint outside.
    of.load(Ordering::Relaxed)
}

#[inline(always)]
fn set_bytes(of: &AtomicUsize, bytes: usize) {
    // Relaxed: as in bytes().
    of.store(bytes, Ordering::Relaxed);
}

/// Bytes that the blocks of a batch take.
fn bytes_of<C: Choices>(mut block: *mut Block) -> usize {
    let mut bytes = 0;
    while !block.is_null() {
        // SAFETY: it waits.
        let block_bytes = C::block_bytes(unsafe { class_of(block) });
        bytes += block_bytes;
        // SAFETY: the batch is the caller's.
        block = unsafe { Block::next::<C>(block, block_bytes) };
    }
    bytes
}
