//! What AddressSanitizer is told of free blocks, in a build with `--cfg allocator_track`: an access by the program to
//! one is reported then. Nothing in any other build.
//!
//! The allocator's own accesses are looked at as well. They are to the first two words of a free block, by functions
//! of this file that the sanitizer does not know, and to slices that are claimed anew, of which all that was told
//! before is taken back.

/// Bytes at a free block's start that are not told of: the allocator's words, where it has no instruction for them
/// that the sanitizer passes by.
#[cfg(allocator_track)]
const UNTOLD_BYTES: usize = if cfg!(target_arch = "x86_64") { 0 } else { 16 };

#[cfg(allocator_track)]
unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const u8, bytes: usize);
    fn __asan_unpoison_memory_region(start: *const u8, bytes: usize);
}

/// The block of so many bytes is free: nobody may touch it.
#[inline(always)]
pub(crate) fn freed(block: *mut u8, bytes: usize) {
    #[cfg(allocator_track)]
    if let Some(rest) = bytes.checked_sub(UNTOLD_BYTES) {
        // SAFETY: any address may be told of.
        unsafe { __asan_poison_memory_region(block.wrapping_add(UNTOLD_BYTES), rest) };
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

/// Reads a word of a free block.
///
/// # Safety
/// - `word` is valid for reads, and aligned.
#[inline(always)]
pub(crate) unsafe fn read(word: *const *mut u8) -> *mut u8 {
    #[cfg(all(allocator_track, target_arch = "x86_64"))]
    {
        let value;
        // SAFETY: the caller's promise. Assembly is not looked at.
        unsafe {
            core::arch::asm!(
                "mov {value}, qword ptr [{word}]",
                value = out(reg) value,
                word = in(reg) word,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        value
    }
    #[cfg(not(all(allocator_track, target_arch = "x86_64")))]
    // SAFETY: the caller's promise.
    unsafe {
        word.read()
    }
}

/// Writes a word of a free block.
///
/// # Safety
/// - `word` is valid for writes, and aligned.
#[inline(always)]
pub(crate) unsafe fn write(word: *mut *mut u8, value: *mut u8) {
    #[cfg(all(allocator_track, target_arch = "x86_64"))]
    // SAFETY: the caller's promise. Assembly is not looked at.
    unsafe {
        core::arch::asm!(
            "mov qword ptr [{word}], {value}",
            value = in(reg) value,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(all(allocator_track, target_arch = "x86_64")))]
    // SAFETY: the caller's promise.
    unsafe {
        word.write(value);
    }
}
