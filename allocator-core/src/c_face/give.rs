//! Handing blocks out to C.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use super::lookup::{bin_offset, is_direct};
use super::{errno, told, word};
use crate::base::align::checked_align_up;
use crate::config::choices::Derived;
use crate::config::size_class::{BIN_BYTES, MALLOC_ALIGN};
use crate::global::verbs;
use crate::heap::cache::Cache;
use crate::heap::declared::{Exported, cache};
use crate::heap::{canary, huge_headed, route, upkeep};
use crate::mem::zero_sized;
use crate::os::OS_PAGE_BYTES;

/// The layout that a block for C is served as; `None` when there can be none.
pub(super) fn layout<D: Exported>(size: usize, align: usize) -> Option<Layout> {
    let layout = Layout::from_size_align(size, align.max(MALLOC_ALIGN)).ok()?;
    Some(canary::served::<D>(layout))
}

/// `malloc`
#[inline(always)]
pub fn malloc<D: Exported>(size: usize) -> *mut u8 {
    told::given::<D>(served::<D>(size))
}

#[inline(always)]
fn served<D: Exported>(size: usize) -> *mut u8 {
    if !D::RECORDS {
        return uncounted::<D>(size);
    }
    // What is in hand is counted without a call, so that nothing has to be kept for afterwards.
    let is_special = D::CANARIES || D::ZERO || D::GUARDS && size == 0;
    if !is_special && is_direct::<D>(size) {
        let offset = bin_offset::<D>(size);
        // SAFETY: null or the calling thread's cache.
        if let Some(cache) = unsafe { cache::<D>().as_ref() }
            && let Some(block) = NonNull::new(in_hand::<D>(cache, offset))
        {
            let class = offset as usize / BIN_BYTES;
            // SAFETY: just allocated in this class.
            return unsafe { word::with_word_in_class::<D>(cache.tally(), block, class, size) };
        }
    }
    counted::<D>(size)
}

/// A block for C, counted.
#[inline(never)]
fn counted<D: Exported>(size: usize) -> *mut u8 {
    word::counted::<D>(1, size, uncounted::<D>)
}

/// A block for C.
#[inline(always)]
pub(super) fn uncounted<D: Exported>(size: usize) -> *mut u8 {
    if !is_direct::<D>(size) {
        return aligned_uncounted::<D>(MALLOC_ALIGN, size);
    }
    if D::GUARDS
        && size == 0
        && let Some(block) = zero_sized::<D>()
    {
        return block.as_ptr();
    }
    let offset = bin_offset::<D>(size);
    let class = offset as usize / BIN_BYTES;
    // SAFETY: null or the calling thread's cache.
    let cache = unsafe { cache::<D>().as_ref() };
    let mut block = cache.map_or(ptr::null_mut(), |cache| in_hand::<D>(cache, offset));
    if block.is_null() {
        block = malloc_in_class::<D>(class);
    }
    // SAFETY: null, or just allocated in this class.
    unsafe { canary::signed_in_class::<D>(block, class, size) }
}

/// A block of the bin at `offset`, if it has one in hand; otherwise null.
#[inline(always)]
fn in_hand<D: Exported>(cache: &Cache<D>, offset: u16) -> *mut u8 {
    // SAFETY: the cache is the calling thread's.
    let block = unsafe { cache.bin_at(offset).pop::<D>(offset as usize / BIN_BYTES) };
    if !block.is_null() {
        verbs::count_allocation(cache);
    }
    block.cast()
}

/// A block of no bytes, at an address where nothing can be read or written.
#[cold]
#[inline(never)]
fn zero_sized<D: Exported>() -> Option<NonNull<u8>> {
    let block = errno::kept(zero_sized::allocate)?;
    D::shared().count_allocation();
    Some(block)
}

#[cold]
#[inline(never)]
fn malloc_in_class<D: Exported>(class: usize) -> *mut u8 {
    errno::or_enomem(|| verbs::allocate_in_class::<D>(class))
}

/// A block of `size` bytes at a multiple of `align`, a power of two.
#[inline]
pub(super) fn aligned<D: Exported>(align: usize, size: usize) -> *mut u8 {
    told::given::<D>(word::counted::<D>(align, size, |size| {
        aligned_uncounted::<D>(align, size)
    }))
}

#[inline(never)]
fn aligned_uncounted<D: Exported>(align: usize, size: usize) -> *mut u8 {
    errno::or_enomem(|| match layout::<D>(size, align) {
        Some(layout) if route::is_huge::<D>(layout) => huge::<D>(layout),
        // SAFETY: null, or just allocated as this.
        Some(layout) => unsafe {
            canary::signed::<D>(verbs::allocate_by_route::<D>(layout), layout)
        },
        None => ptr::null_mut(),
    })
}

/// A huge block, zeroed.
fn huge<D: Exported>(layout: Layout) -> *mut u8 {
    upkeep::run_if_due();
    let account = D::shared().account();
    let Some(bytes) = checked_align_up(layout.size().max(1), OS_PAGE_BYTES) else {
        return ptr::null_mut();
    };
    let allocate = || huge_headed::allocate(account, bytes, layout.align());
    verbs::counted_large::<D>(verbs::or_after_reclaim::<D, NonNull<u8>>(allocate))
}

/// `calloc`
#[inline(always)]
pub fn calloc<D: Exported>(count: usize, bytes: usize) -> *mut u8 {
    match count.checked_mul(bytes) {
        Some(size) if D::RECORDS && !D::ZERO && is_direct::<D>(size) => {
            let block = malloc::<D>(size);
            // After the word was written, which may be part of it.
            // SAFETY: just allocated with at least this size.
            unsafe { verbs::clear_handed_out::<D>(block, size) };
            block
        }
        Some(size) => word::counted::<D>(1, size, calloc_uncounted::<D>),
        None => errno::fail(libc::ENOMEM),
    }
}

#[inline(always)]
fn calloc_uncounted<D: Exported>(size: usize) -> *mut u8 {
    if !is_direct::<D>(size) {
        return zeroed::<D>(size);
    }
    let block = told::given::<D>(uncounted::<D>(size));
    // SAFETY: just allocated with at least this size.
    unsafe { verbs::clear_handed_out::<D>(block, size) };
    block
}

/// A zeroed block of more than `direct_max`.
#[inline(never)]
fn zeroed<D: Exported>(size: usize) -> *mut u8 {
    if D::TELLS {
        // Cleared when it may be touched.
        let block = told::given::<D>(aligned_uncounted::<D>(MALLOC_ALIGN, size));
        if !block.is_null() {
            // SAFETY: just allocated with this size.
            unsafe { block.write_bytes(0, size) };
        }
        return block;
    }
    errno::or_enomem(|| match layout::<D>(size, MALLOC_ALIGN) {
        Some(layout) if route::is_huge::<D>(layout) => huge::<D>(layout),
        // SAFETY: null, or just allocated as this.
        Some(layout) => unsafe {
            canary::signed::<D>(verbs::allocate_zeroed_by_route::<D>(layout), layout)
        },
        None => ptr::null_mut(),
    })
}
