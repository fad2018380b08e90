//! A chunk: 32 MiB of addresses at a multiple of 32 MiB, cut into slices of
//! 64 KiB. Its first slice holds the headers, so a block's page is found by
//! arithmetic alone and headers of neighbouring pages share OS pages. Its second slice has no use; where
//! the tenant wants guards around headers it is one, and so is the OS page before the chunk.
//!
//! 1. `claimed`: the slice is in use; the headers' slices and those past the end always are.
//! 2. `dirty`: the slice is backed by memory, as far as is known, and may hold anything but zero. Set
//!    while claimed, cleared only by a purge. Where memory comes in huge pages, what is claimed
//!    backs its neighbours, too, unless there is a guard among them.
//! 3. `expiring`: free and dirty since before the `deadline`; means nothing while claimed.

use core::ptr::{self, NonNull};

use super::tenant::Tenant;
use crate::base::bitmap::Bitmap;
use crate::base::deadline::Deadline;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use crate::os::guard::{self, Means};
use crate::os::{self, OS_PAGE_BYTES, Range};

/// Bytes of a slice, the unit in which the arena hands out memory.
pub(crate) const SLICE_BYTES: usize = 64 * 1024;
/// Bytes of a chunk, and its alignment.
pub(crate) const CHUNK_BYTES: usize = 32 * 1024 * 1024;
/// Slices of a chunk.
pub(crate) const CHUNK_SLICES: usize = CHUNK_BYTES / SLICE_BYTES;
/// Bytes of one page's header.
pub(crate) const PAGE_HEADER_BYTES: usize = 128;
/// Slices at the start that no page can begin in: slice 0 holds the headers, and the room for
/// the header of slice 1 holds the rest of the chunk's own.
const HEADER_SLICES: usize = 2;
/// Slices of a huge page of the hardware (2 MiB).
const HUGE_PAGE_SLICES: usize = 32;
const WORDS: usize = CHUNK_SLICES / 64;

/// What a chunk keeps about its slices, in place of the headers of slices 0 and 1.
#[repr(C, align(128))]
pub(crate) struct Chunk {
    /// Inv. 1.
    claimed: Bitmap<WORDS>,
    /// Inv. 2.
    dirty: Bitmap<WORDS>,
    /// Inv. 3.
    expiring: Bitmap<WORDS>,
    /// When what is expiring has expired.
    deadline: Deadline,
    /// About how many slices are free: says which chunks to pass by.
    free_slices: AtomicU32,
    /// Place in the arena's list.
    index: AtomicU32,
    /// Slices that are there: all, or as many as the OS gave. Written once.
    slices: AtomicU32,
    /// Whether the chunk is for huge pages: a [`Grain`]. Written once.
    dense: AtomicBool,
    /// Whom the chunk is let to. Written once.
    tenant: AtomicPtr<Tenant>,
}

const _: () = assert!(size_of::<Chunk>() == HEADER_SLICES * PAGE_HEADER_BYTES);
const _: () = assert!(
    CHUNK_SLICES * PAGE_HEADER_BYTES <= SLICE_BYTES,
    "the headers must fit the first slice"
);

/// How the memory behind a chunk is backed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// By OS pages: what is touched here and there costs what is touched.
    Sparse,
    /// By huge pages: what is touched all over costs few faults and few TLB entries.
    Dense,
}

/// A run of slices, just claimed.
pub(crate) struct Claimed {
    pub(crate) start: NonNull<u8>,
    /// How many of the slices were backed by memory already. None: then it is known to be zero.
    pub(crate) backed: usize,
    /// How many free neighbours are backed from now on.
    pub(crate) newly_backed: usize,
}

/// Where the header of the page lies that starts at `start`, in a chunk.
#[inline(always)]
pub(crate) fn page_header(start: *mut u8) -> *mut u8 {
    start.map_addr(|address| {
        let slice = address % CHUNK_BYTES / SLICE_BYTES;
        (address & !(CHUNK_BYTES - 1)) + slice * PAGE_HEADER_BYTES
    })
}

/// Whether a page can start at `start`: not in the slices whose headers are the chunk's own.
pub(crate) fn has_page_header(start: *mut u8) -> bool {
    start.addr() % CHUNK_BYTES / SLICE_BYTES >= HEADER_SLICES
}

/// The chunk that `start` lies in.
///
/// # Safety
/// - `start` lies in a chunk that [`Chunk::create`] made.
pub(crate) unsafe fn chunk_of(start: NonNull<u8>) -> &'static Chunk {
    let chunk = start
        .as_ptr()
        .map_addr(|address| address & !(CHUNK_BYTES - 1));
    // SAFETY: chunks are never unmapped.
    unsafe { &*chunk.cast::<Chunk>() }
}

impl Chunk {
    /// Reserves a chunk near `hint` whose first `bytes` are there.
    pub(crate) fn create(
        bytes: usize,
        grain: Grain,
        tenant: &'static Tenant,
        hint: usize,
    ) -> Option<&'static Chunk> {
        debug_assert!(bytes <= CHUNK_BYTES && bytes.is_multiple_of(SLICE_BYTES));
        let lead = if tenant.headers { OS_PAGE_BYTES } else { 0 };
        let start = os::reserve_behind(lead, bytes, CHUNK_BYTES, hint)?;
        // SAFETY: what was mapped starts there.
        let mapped = unsafe { start.sub(lead) };
        // Before the first touch. Advice that is refused leaves what the system does.
        // SAFETY: just mapped.
        unsafe { os::advise_huge(mapped, lead + bytes, grain == Grain::Dense) };
        if tenant.headers {
            // The headers fill slice 0; slice 1 has no use.
            // SAFETY: just mapped.
            unsafe {
                guard::install(mapped, lead, Means::NONE);
                guard::install(start.add(SLICE_BYTES), SLICE_BYTES, Means::NONE);
            }
        }
        // SAFETY: fresh memory, all zero, which is a valid Chunk; nobody else knows it.
        let chunk: &'static Chunk = unsafe { start.cast().as_ref() };
        // Relaxed: published by the arena's Release.
        chunk.dense.store(grain == Grain::Dense, Ordering::Relaxed);
        let tenant = ptr::from_ref(tenant).cast_mut();
        // Relaxed: as above.
        chunk.tenant.store(tenant, Ordering::Relaxed);
        let slices = bytes / SLICE_BYTES;
        // Relaxed: as above.
        chunk.slices.store(slices as u32, Ordering::Relaxed);
        chunk.claimed.set(0, HEADER_SLICES);
        chunk.dirty.set(0, HEADER_SLICES);
        if slices < CHUNK_SLICES {
            chunk.claimed.set(slices, CHUNK_SLICES - slices);
        }
        let free = (slices - HEADER_SLICES) as u32;
        // Relaxed: published by the arena's Release.
        chunk.free_slices.store(free, Ordering::Relaxed);
        Some(chunk)
    }

    pub(crate) fn index(&self) -> usize {
        // Relaxed: written once, before the chunk was published.
        self.index.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn set_index(&self, index: usize) {
        // Relaxed: published by the arena's Release.
        self.index.store(index as u32, Ordering::Relaxed);
    }

    pub(crate) fn grain(&self) -> Grain {
        // Relaxed: written once, before the chunk was published.
        if self.dense.load(Ordering::Relaxed) {
            Grain::Dense
        } else {
            Grain::Sparse
        }
    }

    /// Whom the chunk is let to.
    pub(crate) fn tenant(&self) -> &'static Tenant {
        // Relaxed: written once, before the chunk was published.
        // SAFETY: made of a reference to a static.
        unsafe { &*self.tenant.load(Ordering::Relaxed) }
    }

    /// Whether it is a chunk of this grain that serves this tenant.
    pub(crate) fn serves(&self, tenant: &'static Tenant, grain: Grain) -> bool {
        self.tenant().serves(tenant) && self.grain() == grain
    }

    /// Slices that are there.
    pub(crate) fn slices(&self) -> usize {
        // Relaxed: written once, before the chunk was published.
        self.slices.load(Ordering::Relaxed) as usize
    }

    /// Whether `block` lies where a page can be.
    pub(crate) fn has_page_at(&self, block: NonNull<u8>) -> bool {
        (HEADER_SLICES..self.slices()).contains(&self.slice_of(block))
    }

    fn slice_start(&'static self, slice: usize) -> NonNull<u8> {
        let chunk: NonNull<u8> = NonNull::from(self).cast();
        // SAFETY: `slice` is below CHUNK_SLICES, so the sum stays in the chunk's addresses.
        unsafe { chunk.add(slice * SLICE_BYTES) }
    }

    fn slice_of(&self, start: NonNull<u8>) -> usize {
        start.addr().get() % CHUNK_BYTES / SLICE_BYTES
    }

    /// Claims `slices` in a row from a multiple of `align` slices.
    pub(crate) fn claim(&'static self, slices: usize, align: usize) -> Option<Claimed> {
        if !self.may_have(slices) {
            return None;
        }
        let slice = self.claimed.claim_run(slices, align)?;
        Some(self.begin_use(slice, slices))
    }

    /// Claims a slice that is still backed by memory.
    pub(crate) fn claim_backed(&'static self) -> Option<Claimed> {
        if !self.may_have(1) {
            return None;
        }
        let slice = self.claimed.claim_one_of(&self.dirty)?;
        Some(self.begin_use(slice, 1))
    }

    fn may_have(&self, slices: usize) -> bool {
        // Relaxed: a hint.
        self.free_slices.load(Ordering::Relaxed) as usize >= slices
    }

    /// Claims the `more` slices right behind the `slices` claimed at `start`: growth in place.
    pub(crate) fn claim_behind(
        &'static self,
        start: NonNull<u8>,
        slices: usize,
        more: usize,
    ) -> Option<Claimed> {
        let slice = self.slice_of(start) + slices;
        let free = slice + more <= CHUNK_SLICES && self.claimed.try_claim(slice, more);
        free.then(|| self.begin_use(slice, more))
    }

    /// Keeps the books on slices just claimed.
    fn begin_use(&'static self, slice: usize, slices: usize) -> Claimed {
        let backed = slices - self.dirty.set(slice, slices);
        let (first, count) = self.backed_with(slice, slices);
        let newly_backed = self.dirty.set(first, count);
        self.expiring.clear(slice, slices);
        // Relaxed: a hint.
        self.free_slices.fetch_sub(slices as u32, Ordering::Relaxed);
        Claimed {
            start: self.slice_start(slice),
            backed,
            newly_backed,
        }
    }

    /// The slices that are backed by memory as soon as these are, as (first, count).
    fn backed_with(&self, slice: usize, slices: usize) -> (usize, usize) {
        match self.grain() {
            Grain::Sparse => (slice, slices),
            Grain::Dense => {
                // The guard at the headers keeps the first huge page from becoming one.
                let sparse_until = if self.tenant().headers {
                    HUGE_PAGE_SLICES
                } else {
                    0
                };
                let (mut first, mut end) = (slice, slice + slices);
                if first >= sparse_until {
                    first -= first % HUGE_PAGE_SLICES;
                }
                if end > sparse_until {
                    end = end.next_multiple_of(HUGE_PAGE_SLICES).min(self.slices());
                }
                (first, end - first)
            }
        }
    }

    /// Gives slices back, purged at once; how many are still backed by memory.
    ///
    /// # Safety
    /// - the `slices` from `start` on are claimed, and nobody uses their content any more.
    pub(crate) unsafe fn release_now(&self, start: NonNull<u8>, slices: usize) -> usize {
        let slice = self.slice_of(start);
        // SAFETY: the caller's promise.
        let purged = unsafe { os::purge(start, slices * SLICE_BYTES) };
        if purged {
            self.dirty.clear(slice, slices);
        }
        self.end_use(slice, slices);
        if purged { 0 } else { slices }
    }

    /// Gives slices back, to be purged at `deadline_ms` if they are free then; `None`: never.
    ///
    /// # Safety
    /// - the `slices` from `start` on are claimed, and nobody uses their content any more.
    pub(crate) unsafe fn release_until(
        &self,
        start: NonNull<u8>,
        slices: usize,
        deadline_ms: Option<u64>,
    ) {
        let slice = self.slice_of(start);
        match deadline_ms {
            Some(_) => {
                let (first, count) = self.backed_with(slice, slices);
                self.expiring.set(first, count);
            }
            None => {
                self.expiring.clear(slice, slices);
            }
        }
        self.end_use(slice, slices);
        // Last, so that who takes the deadline finds the slices free.
        if let Some(deadline_ms) = deadline_ms {
            self.deadline.by(deadline_ms);
        }
    }

    fn end_use(&self, slice: usize, slices: usize) {
        // Relaxed: a hint. Before the release, so that it never goes below zero.
        self.free_slices.fetch_add(slices as u32, Ordering::Relaxed);
        self.claimed.release(slice, slices);
    }

    /// When something here expires, in ms.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        self.deadline.get()
    }

    /// Claims what has expired, run by run, to be purged. In a `busy` process at least half of a huge
    /// page, or it stays whole and expires again at `later_ms`.
    pub(super) fn claim_expired(
        &'static self,
        busy: bool,
        later_ms: u64,
        mut claimed: impl FnMut(Range),
    ) {
        self.deadline.take();
        if !busy || self.grain() == Grain::Sparse {
            return self.claim_free_of(&self.expiring, CHUNK_SLICES, 1, claimed);
        }
        self.claim_free_of(
            &self.expiring,
            HUGE_PAGE_SLICES,
            HUGE_PAGE_SLICES / 2,
            &mut claimed,
        );
        if self.expiring.next_run(&self.claimed, 0).is_some() {
            self.deadline.by(later_ms);
        }
    }

    /// Claims all that is free and backed, run by run, to be purged.
    pub(super) fn claim_free(&'static self, claimed: impl FnMut(Range)) {
        self.claim_free_of(&self.dirty, CHUNK_SLICES, 1, claimed);
    }

    /// Claims the free slices that are set in `wanted`, in runs of at least `least` slices within
    /// pieces of `piece` slices: nobody may get a slice whose content is about to vanish.
    fn claim_free_of(
        &'static self,
        wanted: &Bitmap<WORDS>,
        piece: usize,
        least: usize,
        mut claimed: impl FnMut(Range),
    ) {
        let mut from = 0;
        while let Some((slice, slices)) = wanted.next_run(&self.claimed, from) {
            let slices = slices.min(piece - slice % piece);
            from = slice + slices;
            if slices >= least && self.claimed.try_claim(slice, slices) {
                claimed(Range {
                    start: self.slice_start(slice),
                    bytes: slices * SLICE_BYTES,
                });
            }
        }
    }

    /// Releases a run that was claimed to be purged, whether or not it was. How many of its slices
    /// were backed and are not any more.
    pub(super) fn end_purge(&self, run: Range, purged: bool) -> usize {
        let (slice, slices) = (self.slice_of(run.start), run.bytes / SLICE_BYTES);
        let cleared = if purged {
            self.dirty.clear(slice, slices)
        } else {
            0
        };
        self.expiring.clear(slice, slices);
        self.claimed.release(slice, slices);
        cleared
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::mem::tenant::COMMON;

    #[test]
    fn what_a_small_chunk_does_not_have_is_not_backed() {
        const SLICES: usize = 16;
        let chunk = Chunk::create(SLICES * SLICE_BYTES, Grain::Dense, &COMMON, 0);
        let chunk = chunk.expect("there is memory");
        let claimed = chunk.claim(1, 1).expect("slices are free");
        assert_eq!(claimed.backed, 0);
        assert_eq!(claimed.newly_backed, SLICES - HEADER_SLICES - 1);
    }

    #[test]
    fn a_guard_keeps_the_first_huge_page_from_backing_neighbours() {
        let tenant = Tenant::shared(true, false);
        let chunk = Chunk::create(CHUNK_BYTES, Grain::Dense, tenant, 0).expect("there is memory");
        let claimed = chunk.claim(1, 1).expect("slices are free");
        assert_eq!(claimed.newly_backed, 0);
        // All that the headers have left over, and one slice of the next huge page.
        let claimed = chunk
            .claim(HUGE_PAGE_SLICES - HEADER_SLICES, 1)
            .expect("slices are free");
        assert_eq!(claimed.newly_backed, HUGE_PAGE_SLICES - 1);
    }
}
