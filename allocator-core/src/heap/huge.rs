//! Huge blocks: each has a mapping of its own, whose bytes follow from the
//! layout, so that nothing needs to be written down, unless the type checks or guards: then what each is,
//! in a table.
//!
//! ```text
//! ┌──────────┬───────┐
//! │ block …  │ guard │   the guard, one OS page, where the type has them behind huge blocks
//! └──────────┴───────┘
//! ```

use core::ptr::NonNull;

use super::account::Account;
use super::huge_table::{self, Known, notes};
use crate::config::choices::{Choices, Derived};
use crate::config::{Fault, Thp};
use crate::mem::arena;
use crate::os::guard::{self, Means};
use crate::os::{self, OS_PAGE_BYTES};

/// Bytes behind a block that are a guard.
const fn guard_bytes<C: Choices>() -> usize {
    C::CONFIG.huge_guard_bytes()
}

/// A zeroed block of `bytes`, whole OS pages, at a multiple of `align`. `None` without memory
/// or over the limit.
pub(crate) fn allocate<C: Choices>(
    account: &Account<C>,
    bytes: usize,
    align: usize,
) -> Option<NonNull<u8>> {
    if !account.charge(bytes) {
        return None;
    }
    let mapped = bytes
        .checked_add(guard_bytes::<C>())
        .and_then(|all| os::reserve(all, align.max(OS_PAGE_BYTES), hint::<C>(all)));
    let Some(start) = mapped else {
        account.discharge(bytes);
        return None;
    };
    if C::CONFIG.thp != Thp::Default {
        // The guard as well: one mapping can be resized, two cannot.
        let mapped_bytes = bytes + guard_bytes::<C>();
        // SAFETY: just mapped.
        unsafe { os::advise_huge(start, mapped_bytes, C::CONFIG.thp == Thp::Always) };
    }
    // SAFETY: just mapped, with room for a guard.
    unsafe { note_and_guard(account, start, bytes, Means::NONE) };
    Some(start)
}

/// Where to ask for a mapping: where no other type's has been or will be, or anywhere.
fn hint<C: Choices>(bytes: usize) -> usize {
    if C::ISOLATE {
        arena::next_hint(bytes)
    } else {
        0
    }
}

/// Notes a block, if the type notes, and guards what is behind it, where a guard by these `means` may stand already.
/// What cannot be noted has no guard, which nobody would remember.
///
/// # Safety
/// - `start` is a huge block of `bytes` whose mapping has room for the guard behind it, the caller's own.
unsafe fn note_and_guard<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    bytes: usize,
    standing: Means,
) {
    if !notes::<C>() {
        return;
    }
    let noted = huge_table::note(start, account.id(), bytes);
    if noted && guard_bytes::<C>() > 0 {
        // SAFETY: within the mapping, behind the block.
        let behind = unsafe { start.add(bytes) };
        // SAFETY: as above; nobody uses it.
        let means = unsafe { guard::install(behind, guard_bytes::<C>(), standing) };
        huge_table::set_guard(start, means.unwrap_or(standing));
    }
}

/// Takes a block out of the table, if the type notes: by what means what is behind it is a guard. An
/// error when it is not what its user says.
fn take<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    bytes: usize,
) -> Result<Means, Fault> {
    if !notes::<C>() {
        return Ok(Means::NONE);
    }
    let known = huge_table::take(start);
    if C::DISTRUSTS
        && let Some(fault) = fault_in(account, start.as_ptr(), &known, bytes)
    {
        return Err(fault);
    }
    match known {
        Known::Block(noted) => Ok(noted.guard),
        Known::NotThere | Known::Nothing => Ok(Means::NONE),
    }
}

/// What is wrong with `block` as a huge one of `bytes` of the type with this `account`, as far as is noted.
pub(crate) fn fault_of<C: Choices>(
    account: &Account<C>,
    block: *mut u8,
    bytes: usize,
) -> Option<Fault> {
    fault_in(account, block, &huge_table::known(block), bytes)
}

/// The same by what is `known`.
fn fault_in<C: Choices>(
    account: &Account<C>,
    block: *mut u8,
    known: &Known,
    bytes: usize,
) -> Option<Fault> {
    match known {
        Known::Block(noted) if noted.owner != account.id() => Some(Fault::OtherType),
        Known::Block(noted) if noted.bytes != bytes => Some(Fault::OtherClass),
        Known::NotThere => Some(absence_of(block)),
        Known::Block(_) | Known::Nothing => None,
    }
}

/// What it means that there is no huge block at `start`.
#[cold]
fn absence_of(start: *mut u8) -> Fault {
    if huge_table::was_freed(start) {
        Fault::DoubleFree
    } else if huge_table::is_inside(start) {
        Fault::NotABlock
    } else {
        Fault::NotOurs
    }
}

/// Frees a block. An error, and nothing done, when the type checks and it is not what its user says.
///
/// # Safety
/// - `start` is a huge block of type `C` and `bytes` that its user gave back.
pub(crate) unsafe fn free<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    bytes: usize,
) -> Result<(), Fault> {
    let means = take(account, start, bytes)?;
    if C::DISTRUSTS {
        huge_table::note_freed(start);
    }
    let mapped_bytes = bytes + guard_bytes::<C>();
    // SAFETY: the caller's promise.
    if unsafe { os::release(start, mapped_bytes) } {
        guard::forget(guard::count(means));
    } else {
        // The addresses stay; at least the memory behind them goes.
        // SAFETY: as above.
        unsafe { os::purge(start, bytes) };
    }
    account.discharge(bytes);
    Ok(())
}

/// Resizes a block, moving it if its alignment allows; what is new reads as zero. `None` leaves
/// the block as it was. An error as [`free`] has it.
///
/// # Safety
/// - `start` is a huge block of type `C` and `before` bytes at alignment `align`, the caller's own.
pub(crate) unsafe fn resize<C: Choices>(
    account: &Account<C>,
    start: NonNull<u8>,
    before: usize,
    after: usize,
    align: usize,
) -> Result<Option<NonNull<u8>>, Fault> {
    if after > before && !account.charge(after - before) {
        return Ok(None);
    }
    // Before: where the block moves away from, another may be mapped at once.
    let mut means = take(account, start, before)?;
    // SAFETY: the caller's promise.
    let moved = unsafe { remap::<C>(start, before, after, align, &mut means) };
    let (now, bytes) = moved.map_or((start, before), |moved| (moved, after));
    // SAFETY: the block's mapping now.
    unsafe { note_and_guard(account, now, bytes, means) };
    if moved.is_some() && after < before {
        account.discharge(before - after);
    }
    if moved.is_none() && after > before {
        account.discharge(after - before);
    }
    Ok(moved)
}

/// Resizes the mapping of a block that has a guard by these `means` behind it: what of that stands afterwards, if the mapping
/// is as it was.
///
/// # Safety
/// - as [`resize`].
unsafe fn remap<C: Choices>(
    start: NonNull<u8>,
    before: usize,
    after: usize,
    align: usize,
    means: &mut Means,
) -> Option<NonNull<u8>> {
    // A guard that is there cannot be mapped elsewhere as part of the block.
    if *means != Means::NONE {
        // SAFETY: within the mapping, behind the block.
        let behind = unsafe { start.add(before) };
        let counted = guard::count(*means);
        // SAFETY: the guard's own bytes.
        if !unsafe { guard::remove(behind, guard_bytes::<C>(), *means, counted) } {
            return None;
        }
        *means = Means::NONE;
    }
    let old_bytes = before + guard_bytes::<C>();
    let new_bytes = after.checked_add(guard_bytes::<C>())?;
    if !C::ISOLATE || arena::is_within_hint(start, old_bytes, new_bytes) {
        let may_move = align <= OS_PAGE_BYTES && !C::ISOLATE;
        // SAFETY: the caller's promise.
        let resized = unsafe { os::remap(start, old_bytes, new_bytes, may_move) };
        if resized.is_some() || !C::ISOLATE {
            return resized;
        }
    }
    // Where the OS would move it, and right behind it, another type's block may have been or come.
    let to = os::reserve(new_bytes, align.max(OS_PAGE_BYTES), hint::<C>(new_bytes))?;
    // SAFETY: the caller's promise; the second was just mapped.
    unsafe { os::remap_to(start, old_bytes, to, new_bytes) }.then_some(to)
}

/// What is wrong with freeing `block` as one that is not huge, if it is a huge one that is noted.
pub(crate) fn misfit<C: Choices>(account: &Account<C>, block: *mut u8) -> Option<Fault> {
    match huge_table::known(block) {
        Known::Block(noted) if noted.owner != account.id() => Some(Fault::OtherType),
        Known::Block(_) => Some(Fault::OtherClass),
        Known::NotThere | Known::Nothing => None,
    }
}
