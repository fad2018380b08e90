//! The arena: the process-wide store of slices that every declared type takes
//! from and gives back to. What one type gives back, the next that asks is
//! served from.
//!
//! Nothing here is locked: slices are claimed by bits, chunks are only ever
//! added. A fork can therefore happen at any point; what a vanished thread had
//! claimed stays claimed in the child.

use core::ptr::{self, NonNull};

use super::chunk::{CHUNK_BYTES, CHUNK_SLICES, Chunk, Claimed, Grain, SLICE_BYTES, chunk_of};
use super::page::tail;
use super::purge::Leaving;
use super::tenant::Tenant;
use super::{cleared, demand, due};
use crate::base::align::align_up;
use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::config::Purge;
use crate::os::guard::{self, Means};
use crate::os::{self, OS_PAGE_BYTES, tracked};

/// Chunks that the arena can have: 2 TiB. The table is untouched memory until it is used.
const CHUNKS_MAX: usize = 65_536;
/// Most slices of one block or page: what half of a chunk has beside its first. So what a little over
/// 8 MiB takes, as a large hash table does, is there for the next one, too.
pub(crate) const RUN_SLICES_MAX: usize = CHUNK_SLICES / 2 - 1;
const _: () = assert!(
    RUN_SLICES_MAX <= u8::MAX as usize,
    "a header has a byte for them"
);
/// Sizes of chunk to try, largest first: under a limit on addresses a small one may still fit.
const CHUNK_SIZES: [usize; 5] = [
    CHUNK_BYTES,
    CHUNK_BYTES / 2,
    CHUNK_BYTES / 4,
    CHUNK_BYTES / 16,
    CHUNK_BYTES / 32,
];
/// Where the first chunk is asked for; a random multiple of a chunk is added.
const FIRST_HINT: usize = 0x0200_0000_0000;

static CHUNKS: [AtomicPtr<Chunk>; CHUNKS_MAX] =
    [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS_MAX];
/// Entries of `CHUNKS` given out; the last may still be null.
static CHUNK_COUNT: AtomicUsize = AtomicUsize::new(0);
/// Hints start over after this many bytes: no address that the OS gives is beyond them.
const HINTS_BYTES: usize = 0x4000_0000_0000;
/// Where the next mapping at a multiple of a chunk is asked for; 0 before the first.
static NEXT_HINT: AtomicUsize = AtomicUsize::new(0);

/// The chunks from `from` on.
fn chunks(from: usize) -> impl Iterator<Item = &'static Chunk> {
    // Relaxed: the entries themselves are read with Acquire.
    let count = CHUNK_COUNT.load(Ordering::Relaxed).min(CHUNKS_MAX);
    CHUNKS[from.min(count)..count].iter().filter_map(|chunk| {
        // Acquire: pairs with the Release in add_chunk(): the chunk's header is initialised.
        // SAFETY: null or a chunk, which is never unmapped.
        unsafe { chunk.load(Ordering::Acquire).as_ref() }
    })
}

/// The chunk whose place `address` is in, be it where the OS gave the chunk no memory.
pub(crate) fn find_chunk(address: NonNull<u8>) -> Option<&'static Chunk> {
    let start = address.addr().get() & !(CHUNK_BYTES - 1);
    chunks(0).find(|chunk| ptr::from_ref(*chunk).addr() == start)
}

/// What the arena has, in bytes.
pub(crate) struct Figures {
    /// Addresses, whether in use or free.
    pub(crate) reserved_bytes: usize,
    /// Slices in use.
    pub(crate) used_bytes: usize,
    /// Free slices that are backed by memory.
    pub(crate) backed_bytes: usize,
}

/// What the arena has now.
pub(crate) fn figures() -> Figures {
    let reserved: usize = chunks(0).map(Chunk::slices).sum();
    Figures {
        reserved_bytes: reserved * SLICE_BYTES,
        used_bytes: demand::used() * SLICE_BYTES,
        backed_bytes: demand::backed() * SLICE_BYTES,
    }
}

/// Claims `slices` in a row in a chunk that serves the tenant, from a multiple of `align` slices, of this grain
/// if possible. `None` when the OS has no more.
pub(crate) fn claim(
    slices: usize,
    align: usize,
    grain: Grain,
    tenant: &'static Tenant,
) -> Option<Claimed> {
    debug_assert!(slices > 0 && slices <= RUN_SLICES_MAX);
    let other = match grain {
        Grain::Sparse => Grain::Dense,
        Grain::Dense => Grain::Sparse,
    };
    let claimed = claim_in_chunks(slices, align, grain, tenant)
        .or_else(|| claim_in_new_chunk(slices, align, grain, tenant))
        .or_else(|| claim_in_chunks(slices, align, other, tenant))?;
    demand::claimed(slices, &claimed, os::now_ms());
    tracked::given(claimed.start.as_ptr(), slices * SLICE_BYTES);
    Some(claimed)
}

fn claim_in_chunks(
    slices: usize,
    align: usize,
    grain: Grain,
    tenant: &'static Tenant,
) -> Option<Claimed> {
    let first = tenant.first_with_room(grain as usize);
    let suitable = || chunks(first).filter(|chunk| chunk.serves(tenant, grain));
    if slices > 1 || align > 1 {
        return suitable().find_map(|chunk| chunk.claim(slices, align));
    }
    // What is backed anywhere comes before what is not.
    if demand::has_backed()
        && let Some(claimed) = suitable().find_map(Chunk::claim_backed)
    {
        return Some(claimed);
    }
    let (index, claimed) =
        suitable().find_map(|chunk| Some((chunk.index(), chunk.claim(1, 1)?)))?;
    if index > first {
        tenant.note_full(grain as usize, first, index);
    }
    Some(claimed)
}

fn claim_in_new_chunk(
    slices: usize,
    align: usize,
    grain: Grain,
    tenant: &'static Tenant,
) -> Option<Claimed> {
    loop {
        // Others may empty the new chunk first; then one more is needed.
        if let Some(claimed) = add_chunk(slices + align, grain, tenant)?.claim(slices, align) {
            return Some(claimed);
        }
    }
}

/// Whether more than `bytes` are in use.
pub(crate) fn uses_over(bytes: usize) -> bool {
    demand::used() * SLICE_BYTES > bytes
}

/// Where to ask for `bytes` at a multiple of a chunk, so that one call of the OS will do.
pub(crate) fn next_hint(bytes: usize) -> usize {
    // Relaxed: a hint; chunks are spread so that two runs of a program differ.
    if NEXT_HINT.load(Ordering::Relaxed) == 0 {
        let stack = ptr::from_ref(&bytes).addr();
        let random = (stack >> 12) % (1 << 14);
        // Relaxed: as above.
        let _ = NEXT_HINT.compare_exchange(
            0,
            FIRST_HINT + random * CHUNK_BYTES,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
    // Relaxed: as above.
    let next = NEXT_HINT.fetch_add(bytes.next_multiple_of(CHUNK_BYTES), Ordering::Relaxed);
    FIRST_HINT + next.wrapping_sub(FIRST_HINT) % HINTS_BYTES
}

/// Whether a mapping of `before` bytes at `start`, asked for at a hint, stays within what the hint gave
/// it when it has `after` bytes; what is behind is others'.
pub(crate) fn is_within_hint(start: NonNull<u8>, before: usize, after: usize) -> bool {
    let at_hint = start.addr().get().is_multiple_of(CHUNK_BYTES);
    after <= before || at_hint && after <= before.next_multiple_of(CHUNK_BYTES)
}

/// Where to ask for a chunk. What has a guard before it needs some room there.
fn hint_of(tenant: &Tenant) -> usize {
    if tenant.headers {
        next_hint(2 * CHUNK_BYTES) + CHUNK_BYTES
    } else {
        next_hint(CHUNK_BYTES)
    }
}

fn add_chunk(slices: usize, grain: Grain, tenant: &'static Tenant) -> Option<&'static Chunk> {
    let fits = |bytes: &&usize| **bytes / SLICE_BYTES >= slices + 2;
    let mut sizes = CHUNK_SIZES.iter().filter(fits);
    let chunk = sizes.find_map(|&bytes| Chunk::create(bytes, grain, tenant, hint_of(tenant)))?;
    // Relaxed: gives each chunk an entry of its own.
    let index = CHUNK_COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(entry) = CHUNKS.get(index) else {
        // The table is full: no more chunks, now or later. The addresses are lost.
        CHUNK_COUNT.store(CHUNKS_MAX, Ordering::Relaxed);
        return None;
    };
    chunk.set_index(index);
    // Release: publishes the header; pairs with the Acquire in chunks().
    entry.store(ptr::from_ref(chunk).cast_mut(), Ordering::Release);
    Some(chunk)
}

/// Gives claimed slices back, and their memory when `purge` says so.
///
/// # Safety
/// - the `slices` from `start` on were claimed in one or several runs and nobody uses them.
pub(crate) unsafe fn release(start: NonNull<u8>, slices: usize, purge: Purge) {
    // SAFETY: claimed, hence in a chunk.
    let chunk = unsafe { chunk_of(start) };
    let backed = match purge {
        // SAFETY: the caller's promise.
        Purge::Now => unsafe { chunk.release_now(start, slices) },
        Purge::Never => {
            // SAFETY: the caller's promise.
            unsafe { chunk.release_until(start, slices, None) };
            slices
        }
        Purge::After(delay_ms) => {
            let now_ms = os::now_ms();
            let deadline_ms = now_ms + u64::from(delay_ms);
            // SAFETY: the caller's promise.
            unsafe { chunk.release_until(start, slices, Some(deadline_ms)) };
            due::by(deadline_ms);
            // What upkeep itself releases, with no delay, is no use.
            if delay_ms > 0 {
                demand::note_use(now_ms);
            }
            slices
        }
    };
    demand::released(slices, backed);
    chunk
        .tenant()
        .note_room(chunk.grain() as usize, chunk.index());
}

/// Claims the slices right behind a claimed run.
///
/// # Safety
/// - the `slices` from `start` on are claimed by the caller.
pub(crate) unsafe fn claim_behind(start: NonNull<u8>, slices: usize, more: usize) -> bool {
    // SAFETY: claimed, hence in a chunk.
    let claimed = unsafe { chunk_of(start) }.claim_behind(start, slices, more);
    if let Some(claimed) = &claimed {
        demand::claimed(more, claimed, os::now_ms());
        tracked::given(claimed.start.as_ptr(), more * SLICE_BYTES);
    }
    claimed.is_some()
}

/// Gives the memory of all that has expired by `now_ms` back to the OS, but what may be wanted
/// again soon: that later.
pub(crate) fn purge_expired(now_ms: u64) {
    let quiet_ms = demand::quiet_ms();
    let busy = now_ms < quiet_ms;
    let mut leaving = Leaving::new();
    for chunk in chunks(0) {
        match chunk.deadline_ms() {
            None => {}
            Some(deadline_ms) if deadline_ms > now_ms => due::by(deadline_ms),
            Some(_) if busy && demand::is_wanted(now_ms, leaving.slices()) => due::by(quiet_ms),
            Some(_) => {
                leaving.add_expired(chunk, busy, quiet_ms);
                if let Some(deadline_ms) = chunk.deadline_ms() {
                    due::by(deadline_ms);
                }
            }
        }
    }
    leaving.go();
}

/// Gives the memory of all that is free back to the OS.
pub(crate) fn purge_all() {
    let mut leaving = Leaving::new();
    for chunk in chunks(0) {
        leaving.add_free(chunk);
    }
    leaving.go();
}

/// Slices claimed at a time for records.
const RECORD_SLICES: usize = 2;

/// Zeroed memory for a record that lives as long as the process, from the tenant's chunks.
pub(crate) fn record(bytes: usize, align: usize, tenant: &'static Tenant) -> Option<NonNull<u8>> {
    const STORE_BYTES: usize = RECORD_SLICES * SLICE_BYTES;
    // A store's first OS page is a guard, and so is its last.
    let guard_bytes = if tenant.headers { OS_PAGE_BYTES } else { 0 };
    debug_assert!(bytes + 2 * guard_bytes < STORE_BYTES && align <= OS_PAGE_BYTES);
    loop {
        // Acquire: pairs with the Release below, so that the store behind the address is there.
        let free = tenant.records.load(Ordering::Acquire);
        // A store ends at a multiple of its size, where the next address would begin anew.
        let start = free.map_addr(|address| align_up(address, align));
        let left = (STORE_BYTES - start.addr() % STORE_BYTES) % STORE_BYTES;
        if !free.is_null()
            && left > bytes + guard_bytes
            && start.addr() / STORE_BYTES == free.addr() / STORE_BYTES
        {
            // Release: hands the store's memory on to the next who takes from it.
            if tenant
                .records
                .compare_exchange(
                    free,
                    start.wrapping_add(bytes),
                    Ordering::Release,
                    Ordering::Relaxed,
                )
                .is_ok()
            {
                return NonNull::new(start);
            }
            continue;
        }
        let store = claim_store(tenant, guard_bytes)?;
        // Its first bytes serve this call; the rest is for the next, whoever installs it.
        // Release: as above. When others did meanwhile, the rest is lost to the process.
        tenant
            .records
            .store(store.as_ptr().wrapping_add(bytes), Ordering::Release);
        return Some(store);
    }
}

/// A store for records, zeroed, between guards of so many bytes; where its first record goes.
fn claim_store(tenant: &'static Tenant, guard_bytes: usize) -> Option<NonNull<u8>> {
    let claimed = claim(RECORD_SLICES, RECORD_SLICES, Grain::Sparse, tenant)?;
    let os_pages = guard_bytes / OS_PAGE_BYTES;
    // SAFETY: just claimed.
    unsafe { cleared::forget(claimed.start, RECORD_SLICES) };
    // SAFETY: just claimed.
    if !unsafe { tail::guard_end(claimed.start, RECORD_SLICES, os_pages) } {
        // SAFETY: just claimed.
        unsafe { release(claimed.start, RECORD_SLICES, Purge::Never) };
        return None;
    }
    if guard_bytes > 0 {
        // For good: a store is not given back.
        // SAFETY: just claimed.
        unsafe { guard::install(claimed.start, guard_bytes, Means::NONE) };
    }
    // SAFETY: within the store.
    let start = unsafe { claimed.start.add(guard_bytes) };
    if claimed.backed > 0 {
        // SAFETY: the store is this thread's alone, and no guard between its first OS page and its last.
        unsafe { start.write_bytes(0, RECORD_SLICES * SLICE_BYTES - 2 * guard_bytes) };
    }
    Some(start)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Whether one byte can be read, by the OS's word.
    fn is_there(address: *mut u8) -> bool {
        let mut ends = [0; 2];
        // SAFETY: the OS reads the byte, or says that it cannot; the descriptors are this function's own.
        unsafe {
            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
            let written = libc::write(ends[1], address.cast(), 1);
            for end in ends {
                libc::close(end);
            }
            written == 1
        }
    }

    #[test]
    fn records_lie_between_guards_where_headers_do() {
        const STORE_BYTES: usize = RECORD_SLICES * SLICE_BYTES;
        static ALONE: Tenant = Tenant::new(true);
        let first = record(100, 128, &ALONE).expect("there is memory").as_ptr();
        assert_eq!(first.addr() % STORE_BYTES, OS_PAGE_BYTES);
        let mut last = first;
        loop {
            let next = record(1000, 128, &ALONE).expect("there is memory").as_ptr();
            if next.addr() / STORE_BYTES != first.addr() / STORE_BYTES {
                break;
            }
            // SAFETY: the record.
            unsafe { next.write_bytes(1, 1000) };
            last = next;
        }
        assert!(last.addr() % STORE_BYTES > STORE_BYTES - 2 * OS_PAGE_BYTES - 1000);
        assert!(is_there(first) && is_there(last));
        assert!(!is_there(first.wrapping_sub(1)));
        let end = first.wrapping_add(STORE_BYTES - OS_PAGE_BYTES);
        assert!(!is_there(end.wrapping_sub(1)) && !is_there(end.wrapping_sub(OS_PAGE_BYTES)));
        assert!(is_there(end.wrapping_sub(OS_PAGE_BYTES + 1)));

        static BARE: Tenant = Tenant::new(false);
        let first = record(100, 128, &BARE).expect("there is memory").as_ptr();
        assert_eq!(
            first.addr() % STORE_BYTES,
            0,
            "a store without guards begins with its first record"
        );
    }
}
