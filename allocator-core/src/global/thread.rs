//! The start and end of a thread, as far as one type is concerned.
//!
//! A thread gets a heap at its first allocation; one that only frees never
//! does. Its end is told by a pthread key, whose destructors run after those
//! of `thread_local!` variables. What is still called after that (other keys'
//! destructors) goes without a heap: see [`Shared::allocate_without_heap`].

use core::ffi::c_void;
use core::ptr;

use crate::heap::cache::{Cache, EndLink};
use crate::heap::declared::{Declared, Slot};
use crate::heap::heap::Heap;
#[cfg(doc)]
use crate::heap::shared::Shared;
use crate::heap::{free, upkeep};
use crate::os;

/// Makes the type known to upkeep and to fork; nothing when it is.
#[inline]
pub(super) fn enrol<D: Declared>() {
    super::fork::register_once();
    upkeep::enrol::<D>();
}

/// The calling thread's cache and heap, made if it has none yet. `None` when the thread has
/// ended, the OS would not tell of its end, or there is no memory: then it goes without a heap, and
/// has nothing that somebody would have to take back.
#[cold]
#[inline(never)]
pub(super) fn start<D: Declared>() -> Option<(&'static Cache<D>, &'static Heap<D>)> {
    enrol::<D>();
    // A type that the thread turns to only after its end has been told gets no heap, because nobody
    // would take it back.
    if os::has_thread_ended() || !os::register_thread_end(end_thread) {
        return None;
    }
    // SAFETY: the slot is the calling thread's and alive (contract of `Declared`).
    let slot = unsafe { &*D::slot() };
    // SAFETY: null or a cache that lives until the thread has ended.
    let cache: &'static Cache<D> = unsafe { slot.cache_or_new().as_ref() }?;
    if cache.heap().is_none() && !announce_end(cache) {
        slot.let_go();
        return None;
    }
    // Where this type is the process's `malloc`, the OS may have allocated to take the note.
    if cache.heap().is_none() {
        cache.set_heap(Some(D::shared().take_heap()?));
    }
    Some((cache, cache.heap()?))
}

/// Has the thread's end told to `cache`, once. False when the OS cannot.
/// Telling a cache without a heap is harmless.
fn announce_end<D: Declared>(cache: &'static Cache<D>) -> bool {
    let link = &cache.end;
    if link.verb.get().is_some() {
        return true;
    }
    link.next.set(os::thread_end_value().cast_const().cast());
    link.cache.set(ptr::from_ref(cache).cast());
    // Before the OS is told: what it allocates meanwhile of this type finds it done.
    link.verb.set(Some(end::<D>));
    let told = os::set_thread_end_value(ptr::from_ref(link).cast_mut().cast());
    // A heap that was made meanwhile stays, though nobody will hear of its thread's end.
    if !told && cache.heap().is_none() {
        link.verb.set(None);
    }
    told || cache.heap().is_some()
}

/// The key's destructor: ends each of the thread's caches. Called again in each round, with nothing
/// left to do.
pub(super) unsafe extern "C" fn end_thread(value: *mut c_void) {
    let had_ended = os::is_end_of_thread(value);
    os::set_thread_ended();
    let mut next: *const EndLink = match had_ended {
        true => ptr::null(),
        false => value.cast_const().cast(),
    };
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
unsafe extern "C" fn end<D: Declared>(cache: *const c_void) {
    // SAFETY: made by start() for this type and thread.
    let cache = unsafe { &*cache.cast::<Cache<D>>() };
    if let Some(heap) = cache.heap() {
        free::flush_all(cache, heap);
        cache.set_heap(None);
        D::shared().abandon(heap);
    }
    // SAFETY: the slot is the calling thread's (contract of `Declared`).
    unsafe { (*D::slot()).let_go() };
}
