//! The start and end of a thread, as far as one type is concerned.
//!
//! A thread gets a heap at its first allocation; one that only frees never
//! does. Its end is told by a pthread key, whose destructors run after those
//! of `thread_local!` variables. What is still called after that (other keys'
//! destructors) goes without a heap: see [`Shared::allocate_without_heap`].

use core::ffi::c_void;
use core::ptr;

use crate::heap::cache::{Cache, EndLink, Slot};
use crate::heap::declared::Declared;
use crate::heap::free;
use crate::heap::heap::Heap;
#[cfg(doc)]
use crate::heap::shared::Shared;
use crate::os;

/// The calling thread's cache and heap, made if it has none yet. `None` when the thread has
/// ended or there is no memory: then it goes without a heap.
#[cold]
#[inline(never)]
pub(super) fn start<D: Declared>() -> Option<(&'static Cache<D>, &'static Heap<D>)> {
    super::fork::register_once();
    // SAFETY: the slot is the calling thread's and alive (contract of `Declared`); null or a cache
    // that lives until the thread has ended.
    let cache: &'static Cache<D> = unsafe { (*D::slot()).cache_or_new().as_ref() }?;
    if let Some(heap) = cache.heap() {
        return Some((cache, heap));
    }
    if cache.has_ended() {
        return None;
    }
    let link = &cache.end;
    link.cache.set(ptr::from_ref(cache).cast());
    link.verb.set(Some(end::<D>));
    link.next.set(os::thread_end_value().cast_const().cast());
    if !os::register_thread_end(end_thread)
        || !os::set_thread_end_value(ptr::from_ref(link).cast_mut().cast())
    {
        return None;
    }
    // From here on the end is told; ending a cache without a heap is harmless.
    let heap = D::shared().take_heap()?;
    cache.set_heap(Some(heap));
    Some((cache, heap))
}

/// The key's destructor: ends each of the thread's caches.
unsafe extern "C" fn end_thread(value: *mut c_void) {
    let mut next: *const EndLink = value.cast_const().cast();
    // SAFETY: links lie in caches, which live until the thread has ended.
    while let Some(link) = unsafe { next.as_ref() } {
        next = link.next.get();
        if let Some(verb) = link.verb.get() {
            // SAFETY: the link was made by start() with the cache it lies in.
            unsafe { verb(link.cache.get()) };
        }
    }
}

/// Ends the calling thread's cache: empties it, and abandons the pages with live blocks.
unsafe fn end<D: Declared>(cache: *const c_void) {
    // SAFETY: made by start() for this type and thread.
    let cache = unsafe { &*cache.cast::<Cache<D>>() };
    if let Some(heap) = cache.heap() {
        free::flush_all(cache, heap);
        cache.set_heap(None);
        D::shared().abandon(heap);
    }
    // SAFETY: the slot is the calling thread's (contract of `Declared`).
    unsafe { (*D::slot()).end() };
}
