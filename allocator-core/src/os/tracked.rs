//! What AddressSanitizer is told of free blocks, in a build with `--cfg allocator_track`: an access by the program to
//! one is reported then. Nothing in any other build.
//!
//! The allocator's own accesses are looked at as well: they are to the first two words of a free block, which stay
//! accessible, and to slices that are claimed anew, of which all that was told before is taken back.

/// Bytes at a free block's start that are the allocator's own.
#[cfg(allocator_track)]
const OWN_BYTES: usize = 16;

#[cfg(allocator_track)]
unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const u8, bytes: usize);
    fn __asan_unpoison_memory_region(start: *const u8, bytes: usize);
}

/// The block of so many bytes is free: nobody may touch it.
#[inline(always)]
pub(crate) fn freed(block: *mut u8, bytes: usize) {
    #[cfg(allocator_track)]
    if let Some(rest) = bytes.checked_sub(OWN_BYTES) {
        // SAFETY: any address may be told of.
        unsafe { __asan_poison_memory_region(block.wrapping_add(OWN_BYTES), rest) };
    }
    #[cfg(not(allocator_track))]
    let _ = (block, bytes);
}

/// These bytes may be touched.
#[inline(always)]
pub(crate) fn given(start: *mut u8, bytes: usize) {
    #[cfg(allocator_track)]
    // SAFETY: any address may be told of.
    unsafe {
        __asan_unpoison_memory_region(start, bytes);
    };
    #[cfg(not(allocator_track))]
    let _ = (start, bytes);
}
