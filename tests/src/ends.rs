//! Where blocks end: what is there, tried out at the exact address.

use std::ptr::NonNull;

use crate::probe::write_faults;
use crate::process::OS_PAGE_BYTES;
use crate::subject::{Subject, layout};

/// Bytes of a slice.
pub const SLICE_BYTES: usize = 64 << 10;
/// A block of this size is a large one where there are no guards, and the next larger one is huge.
pub const LARGE_MAX: usize = 255 * SLICE_BYTES;

/// A block.
///
/// # Panics
/// Without memory.
#[must_use]
pub fn allocate<A: Subject>(size: usize) -> NonNull<u8> {
    A::allocate(layout(size, 8)).expect("memory")
}

/// Frees what [`allocate`] gave.
pub fn free<A: Subject>(block: NonNull<u8>, size: usize) {
    // SAFETY: a live block of this layout, as the tests use it.
    unsafe { A::deallocate(block, layout(size, 8)) };
}

/// An address that is `bytes` away.
#[must_use]
pub fn at(start: NonNull<u8>, bytes: isize) -> NonNull<u8> {
    NonNull::new(start.as_ptr().wrapping_offset(bytes)).expect("not null")
}

/// The first address behind the page or the slices that a block lies in, and its guard.
#[must_use]
pub fn end_of_slices(block: NonNull<u8>, bytes: usize) -> NonNull<u8> {
    block.map_addr(|address| {
        let end = (address.get() + bytes).next_multiple_of(SLICE_BYTES);
        end.try_into().expect("not 0")
    })
}

/// Resizes a block by these sizes in turn; what it holds stays, and where it ends is a guard.
pub fn resizes<A: Subject>(sizes: &[usize]) {
    let mut size = sizes[0];
    let mut block = allocate::<A>(size);
    // SAFETY: the block's own bytes.
    unsafe { block.write_bytes(0x77, size) };
    for &next in &sizes[1..] {
        // SAFETY: a live block of this layout.
        let resized = unsafe { A::reallocate(block, layout(size, 8), next) };
        block = resized.expect("memory");
        for offset in [0, size.min(next) / 2, size.min(next) - 1] {
            assert_eq!(
                // SAFETY: within the block.
                unsafe { block.add(offset).read() },
                0x77,
                "{size} to {next} at {offset}"
            );
        }
        let end = next.next_multiple_of(OS_PAGE_BYTES) as isize;
        assert!(write_faults(at(block, end)), "{size} to {next}");
        assert!(!write_faults(at(block, end - 1)), "{size} to {next}");
        // SAFETY: the block's own bytes.
        unsafe { block.write_bytes(0x77, next) };
        size = next;
    }
    free::<A>(block, size);
}
