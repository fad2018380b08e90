//! Huge blocks of a type that is freed without being told the layout: as those of `huge`, each a
//! mapping of its own, but with a head that says where it is and how long.
//!
//! ```text
//! a multiple of 32 MiB
//! ┌──────┬───────────┬───────┬──────────────┬───────┐
//! │ Head │ untouched │ guard │ the block …  │ guard │
//! └──────┴───────────┴───────┴──────────────┴───────┘
//!  1 OS page at least, 32 MiB at most        both where the type has guards around huge blocks
//! ```
//!
//! 1. The mapping starts at a multiple of a chunk, which `regions` has marked from before the block is
//!    handed out until after it is given back.
//! 2. The block starts within a chunk's bytes of it, or right behind them: so the byte before the
//!    block is in the mapping's first 32 MiB, whatever the block's alignment. How far, a power of two, is
//!    part of the mark.

use core::ptr::NonNull;

use super::account::Account;
use crate::base::sync::{AtomicUsize, Ordering::Relaxed};
use crate::config::Thp;
use crate::config::choices::{Choices, Derived};
use crate::mem::chunk::CHUNK_BYTES;
use crate::mem::{arena, regions};
use crate::os::guard::{self, Means};
use crate::os::{self, OS_PAGE_BYTES};

/// What stands at the start of a huge block's mapping.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// Where the mapping starts, hence this head.
    mapping: NonNull<u8>,
    /// Bytes of the mapping.
    mapped_bytes: usize,
    /// Where the block starts.
    block: NonNull<u8>,
    /// Which type it is of: the address of its account.
    owner: *const (),
    /// Bytes of each guard.
    guard_bytes: usize,
    /// By what means the OS page before the block and what is behind it are guards.
    guards: [Means; 2],
}

const _: () = assert!(size_of::<Head>() <= OS_PAGE_BYTES);

impl Head {
    /// Bytes of the block.
    pub(crate) fn block_bytes(&self) -> usize {
        self.mapped_bytes - self.lead_bytes() - self.guard_bytes
    }

    /// Bytes before the block.
    fn lead_bytes(&self) -> usize {
        self.block.addr().get() - self.mapping.addr().get()
    }

    /// Where the guards are.
    fn guard_starts(&self) -> [NonNull<u8>; 2] {
        let block_bytes = self.block_bytes();
        // SAFETY: the mapping has room for both.
        unsafe {
            [
                self.block.sub(self.guard_bytes),
                self.block.add(block_bytes),
            ]
        }
    }

    /// Puts the guards up, as far as they can be had and do not stand.
    ///
    /// # Safety
    /// - the mapping is there, and the caller's own.
    unsafe fn put_guards(&mut self) {
        if self.guard_bytes == 0 {
            return;
        }
        let starts = self.guard_starts();
        for (start, means) in starts.into_iter().zip(&mut self.guards) {
            // SAFETY: the caller's promise; neither the head nor the block is there.
            let put = unsafe { guard::install(start, self.guard_bytes, *means) };
            *means = put.unwrap_or(*means);
        }
    }

    /// Takes the guards away; false when the OS refuses that.
    ///
    /// # Safety
    /// - as [`Head::put_guards`].
    unsafe fn take_guards(&mut self) -> bool {
        let starts = self.guard_starts();
        for (start, means) in starts.into_iter().zip(&mut self.guards) {
            if *means != Means::NONE {
                let counted = guard::count(*means);
                // SAFETY: as above.
                if !unsafe { guard::remove(start, self.guard_bytes, *means, counted) } {
                    return false;
                }
                *means = Means::NONE;
            }
        }
        true
    }

    /// Writes the head where it belongs.
    ///
    /// # Safety
    /// - the mapping is there, and the caller's own.
    unsafe fn write(self) {
        // SAFETY: the block starts an OS page behind the mapping's start at least, so the head has
        // room; a multiple of a chunk is aligned for it.
        unsafe { self.mapping.cast().write(self) };
    }
}

/// Huge blocks of this kind, and the bytes of their mappings.
static BLOCKS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// How many blocks there are, and the bytes of their mappings.
pub(crate) fn mapped() -> (usize, usize) {
    // Relaxed: figures.
    (BLOCKS.load(Relaxed), BYTES.load(Relaxed))
}

/// A zeroed block of `bytes`, whole OS pages, at a multiple of `align`. `None` without memory
/// or over the limit.
pub(crate) fn allocate<C: Choices>(
    account: &Account<C>,
    bytes: usize,
    align: usize,
) -> Option<NonNull<u8>> {
    let guard_bytes = C::CONFIG.huge_guard_bytes();
    let lead_bytes = align.clamp(OS_PAGE_BYTES + guard_bytes, CHUNK_BYTES);
    let mapped_bytes = lead_bytes.checked_add(bytes)?.checked_add(guard_bytes)?;
    if !account.charge(mapped_bytes) {
        return None;
    }
    let Some(mapping) = map(mapped_bytes, align, lead_bytes) else {
        account.discharge(mapped_bytes);
        return None;
    };
    if C::CONFIG.thp != Thp::Default {
        // SAFETY: just mapped.
        unsafe { os::advise_huge(mapping, mapped_bytes, C::CONFIG.thp == Thp::Always) };
    }
    // SAFETY: the lead is part of the mapping.
    let block = unsafe { mapping.add(lead_bytes) };
    let owner = account.id();
    let mut head = Head {
        mapping,
        mapped_bytes,
        block,
        owner,
        guard_bytes,
        guards: [Means::NONE; 2],
    };
    // SAFETY: just mapped.
    unsafe {
        head.put_guards();
        head.write();
    }
    // Relaxed: figures, here and below.
    BLOCKS.fetch_add(1, Relaxed);
    BYTES.fetch_add(mapped_bytes, Relaxed);
    Some(block)
}

/// A marked mapping of `bytes` at a multiple of a chunk, so that its block, `lead_bytes` from there, is at a
/// multiple of `align`.
fn map(bytes: usize, align: usize, lead_bytes: usize) -> Option<NonNull<u8>> {
    // Above a chunk, a multiple of `align` has a chunk's bytes before it.
    let unused = align.max(CHUNK_BYTES) - CHUNK_BYTES;
    let hint = if unused == 0 {
        arena::next_hint(bytes)
    } else {
        0
    };
    let all = bytes.checked_add(unused)?;
    let start = os::reserve(all, align.max(CHUNK_BYTES), hint)?;
    // SAFETY: within what was just mapped.
    let mapping = unsafe { start.add(unused) };
    if unused > 0 {
        // SAFETY: as above, and nobody knows of it.
        unsafe { os::release(start, unused) };
    }
    let marked = regions::mark_huge(mapping, lead_bytes);
    if !marked {
        // SAFETY: as above.
        unsafe { os::release(mapping, bytes) };
    }
    marked.then_some(mapping)
}

/// The head of the huge block of the type with this `account` that starts at `block`, if there is one.
pub(crate) fn find<C: Choices>(account: &Account<C>, block: NonNull<u8>) -> Option<Head> {
    // Inv. 2. Not null: addresses below a chunk are not given out.
    let mapping = block
        .as_ptr()
        .map_addr(|address| (address - 1) & !(CHUNK_BYTES - 1));
    let mapping = NonNull::new(mapping)?;
    let lead_bytes = block.addr().get() - mapping.addr().get();
    if !regions::is_huge(mapping, lead_bytes) {
        return None;
    }
    // SAFETY: a head is there while the mark is (Inv. 1), and the block that starts here is in use, which its
    // user promises.
    let head: Head = unsafe { mapping.cast().read() };
    (head.owner == account.id()).then_some(head)
}

/// Frees a block.
///
/// # Safety
/// - `head` is that of a block which its user gave back.
pub(crate) unsafe fn free<C: Choices>(account: &Account<C>, head: Head) {
    // Before: another may be mapped there at once.
    regions::forget_huge(head.mapping);
    // SAFETY: the caller's promise.
    if unsafe { os::release(head.mapping, head.mapped_bytes) } {
        guard::forget(head.guards.into_iter().map(guard::count).sum());
    } else {
        // The addresses stay; at least the memory behind them goes.
        // SAFETY: as above.
        unsafe { os::purge(head.mapping, head.mapped_bytes) };
    }
    BLOCKS.fetch_sub(1, Relaxed);
    BYTES.fetch_sub(head.mapped_bytes, Relaxed);
    account.discharge(head.mapped_bytes);
}

/// Resizes a block to `bytes`, whole OS pages, moving it if need be; what is new reads as zero.
/// `None` leaves the block as it was.
///
/// # Safety
/// - `head` is that of a block of the caller's own.
pub(crate) unsafe fn resize<C: Choices>(
    account: &Account<C>,
    mut head: Head,
    bytes: usize,
) -> Option<NonNull<u8>> {
    let before = head.mapped_bytes;
    let around = head.lead_bytes() + head.guard_bytes;
    let after = around.checked_add(bytes)?;
    if after > before && !account.charge(after - before) {
        return None;
    }
    // A guard that is there cannot be mapped elsewhere as part of the block.
    // SAFETY: the caller's promise.
    let is_bare = unsafe { head.take_guards() };
    // SAFETY: as above.
    let resized = is_bare
        .then(|| unsafe { remap::<C>(&head, after) })
        .flatten();
    let unused = match resized {
        Some(_) => before.saturating_sub(after),
        None => after.saturating_sub(before),
    };
    account.discharge(unused);
    if let Some(resized) = resized {
        BYTES.fetch_add(after.wrapping_sub(before), Relaxed);
        head = resized;
    }
    // SAFETY: the mapping is the block's, resized or as it was.
    unsafe {
        head.put_guards();
        head.write();
    }
    resized.map(|head| head.block)
}

/// Gives the mapping of a block `bytes`, elsewhere if need be; what the head says then. `None` leaves it as it
/// was.
///
/// # Safety
/// - `head` is that of a block of the caller's own, without guards.
unsafe fn remap<C: Choices>(head: &Head, bytes: usize) -> Option<Head> {
    let before = head.mapped_bytes;
    // Behind it another type's block may have been or come.
    let may_stay = !C::ISOLATE || arena::is_within_hint(head.mapping, before, bytes);
    // SAFETY: the caller's promise.
    let stays = || unsafe { os::remap(head.mapping, before, bytes, false) };
    // SAFETY: as above.
    let moved = || unsafe { move_mapping(head, bytes) };
    let mapping = may_stay.then(stays).flatten().or_else(moved)?;
    // SAFETY: the lead is part of the mapping.
    let block = unsafe { mapping.add(head.lead_bytes()) };
    Some(Head {
        mapping,
        mapped_bytes: bytes,
        block,
        ..*head
    })
}

/// Moves the mapping of a block to where it has `bytes`, its pages and its mark with it; where that is.
///
/// # Safety
/// - as [`remap`].
unsafe fn move_mapping(head: &Head, bytes: usize) -> Option<NonNull<u8>> {
    let to = map(bytes, CHUNK_BYTES, head.lead_bytes())?;
    // Before: others may be mapped there at once.
    regions::forget_huge(head.mapping);
    regions::forget_huge(to);
    // SAFETY: the caller's promise; the second was just mapped.
    let has_moved = unsafe { os::remap_to(head.mapping, head.mapped_bytes, to, bytes) };
    let now = if has_moved { to } else { head.mapping };
    regions::mark_huge(now, head.lead_bytes());
    has_moved.then_some(to)
}
