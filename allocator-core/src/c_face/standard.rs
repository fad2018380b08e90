//! The functions of C, POSIX and glibc that are made of the others.

use core::ffi::c_int;

use super::errno;
use super::give::{aligned, malloc};
use super::take::{free, realloc};
use crate::config::size_class::MALLOC_ALIGN;
use crate::global::verbs;
use crate::heap::declared::Exported;
use crate::heap::huge_headed;
use crate::mem::arena;
use crate::os::OS_PAGE_BYTES;

/// `reallocarray`
///
/// # Safety
/// - as [`realloc`].
#[inline]
pub unsafe fn reallocarray<D: Exported>(block: *mut u8, count: usize, bytes: usize) -> *mut u8 {
    match count.checked_mul(bytes) {
        // SAFETY: the caller's promise.
        Some(size) => unsafe { realloc::<D>(block, size) },
        None => errno::fail(libc::ENOMEM),
    }
}

/// `free_sized`, and what C++ deletes with one argument more: the size is not needed, and a wrong one
/// does no harm.
///
/// # Safety
/// - as [`free`].
#[inline(always)]
pub unsafe fn free_sized<D: Exported>(block: *mut u8, _size: usize) {
    // SAFETY: the caller's promise.
    unsafe { free::<D>(block) }
}

/// `free_aligned_sized`, and what C++ deletes with two arguments more.
///
/// # Safety
/// - as [`free`].
#[inline(always)]
pub unsafe fn free_aligned_sized<D: Exported>(block: *mut u8, _align: usize, _size: usize) {
    // SAFETY: the caller's promise.
    unsafe { free::<D>(block) }
}

/// `aligned_alloc`: `EINVAL` for what is no power of two. The size may be any.
#[inline]
pub fn aligned_alloc<D: Exported>(align: usize, size: usize) -> *mut u8 {
    if !align.is_power_of_two() {
        return errno::fail(libc::EINVAL);
    }
    if align <= MALLOC_ALIGN {
        return malloc::<D>(size);
    }
    aligned::<D>(align, size)
}

/// `memalign`: as glibc has it, what is no power of two counts as the next.
pub fn memalign<D: Exported>(align: usize, size: usize) -> *mut u8 {
    match align.checked_next_power_of_two() {
        Some(align) => aligned_alloc::<D>(align, size),
        None => errno::fail(libc::EINVAL),
    }
}

/// `posix_memalign`: the error is what it returns; `block` and the error number are left alone then.
///
/// # Safety
/// - `block` is valid for writes.
pub unsafe fn posix_memalign<D: Exported>(block: *mut *mut u8, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut u8>()) {
        return libc::EINVAL;
    }
    let allocated = errno::kept(|| aligned_alloc::<D>(align, size));
    if allocated.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { block.write(allocated) };
    0
}

/// `valloc`
pub fn valloc<D: Exported>(size: usize) -> *mut u8 {
    aligned::<D>(OS_PAGE_BYTES, size)
}

/// `pvalloc`: whole OS pages.
pub fn pvalloc<D: Exported>(size: usize) -> *mut u8 {
    match size.checked_next_multiple_of(OS_PAGE_BYTES) {
        Some(size) => aligned::<D>(OS_PAGE_BYTES, size),
        None => errno::fail(libc::ENOMEM),
    }
}

/// `malloc_trim`: gives back all that is free, whatever `_keep` says; whether that was anything.
pub fn malloc_trim<D: Exported>(_keep: usize) -> c_int {
    errno::kept(|| {
        // What is in hand becomes free on the way.
        verbs::give_back::<D>();
        let before = arena::figures().backed_bytes;
        verbs::purge::<D>();
        c_int::from(arena::figures().backed_bytes < before)
    })
}

/// `struct mallinfo2` of glibc; its manual says what the words mean.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "glibc's, not ours")]
pub struct Mallinfo2 {
    pub arena: usize,
    pub ordblks: usize,
    pub smblks: usize,
    pub hblks: usize,
    pub hblkhd: usize,
    pub usmblks: usize,
    pub fsmblks: usize,
    pub uordblks: usize,
    pub fordblks: usize,
    pub keepcost: usize,
}

/// `mallinfo2`, as far as its words mean something here; the others are 0.
pub fn mallinfo2<D: Exported>() -> Mallinfo2 {
    let arena = arena::figures();
    let (huge_blocks, huge_bytes) = huge_headed::mapped();
    Mallinfo2 {
        arena: arena.reserved_bytes,
        hblks: huge_blocks,
        hblkhd: huge_bytes,
        uordblks: arena.used_bytes,
        fordblks: arena.reserved_bytes.saturating_sub(arena.used_bytes),
        keepcost: arena.backed_bytes,
        ..Mallinfo2::default()
    }
}
