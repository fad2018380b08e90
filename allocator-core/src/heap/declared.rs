//! What the macro makes per declared type, because Rust has no generic statics:
//! the thread-local slot and the shared state.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr;

use super::cache::Cache;
use super::heap::Heap;
use super::shared::Shared;
use crate::config::choices::Choices;
use crate::os::thread_word;

/// A type that `#[derive_allocator]` made an allocator.
///
/// # Safety
/// - `slot` is the calling thread's and stays where it is until the thread has ended, its
///   destructors included;
/// - `shared` is always the same.
pub unsafe trait Declared: Choices {
    /// What the thread-local variable holds.
    type Slot: Slot<Self>;
    /// The calling thread's variable.
    fn slot() -> *const Self::Slot;
    /// What all threads of the type share.
    fn shared() -> &'static Shared<Self>;
}

/// A declared type that is the process's `malloc` (`export = malloc`).
///
/// # Safety
/// - `CONFIG.export` is not `Off`;
/// - `malloc_table` is `malloc_table(CONFIG.class_bytes)` up to `CONFIG.fast_path.direct_max`.
pub unsafe trait Exported: Declared {
    /// Bin offsets by size, of the classes that are aligned for C.
    fn malloc_table() -> &'static [u16];
}

/// The calling thread's cache; null when it has none yet.
#[inline(always)]
pub(crate) fn cache<D: Declared>() -> *const Cache<D> {
    // SAFETY: the slot is the calling thread's and alive (contract of `Declared`).
    unsafe { (*D::slot()).cache() }
}

/// The calling thread's cache and heap, if it has them.
pub(crate) fn current<D: Declared>() -> Option<(&'static Cache<D>, &'static Heap<D>)> {
    // SAFETY: null or the calling thread's cache, which lives until the thread has ended.
    let cache: &'static Cache<D> = unsafe { cache::<D>().as_ref() }?;
    Some((cache, cache.heap()?))
}

/// What a declared type keeps in its thread-local variable.
pub trait Slot<D: Declared> {
    /// The thread's cache; null when there is none yet.
    fn cache(&self) -> *const Cache<D>;
    /// Makes the thread's cache if there is none; null when there is no memory for it.
    fn cache_or_new(&self) -> *const Cache<D>;
    /// Lets go of the cache, which has no heap (any more).
    fn let_go(&self);
}

/// `tls = inline`: the cache itself is thread-local.
#[repr(transparent)]
pub struct InlineSlot<D: Declared>(Cache<D>);

impl<D: Declared> InlineSlot<D> {
    /// All zero: costs a new thread nothing until it is touched.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made in constants only")]
    pub const fn new() -> Self {
        Self(Cache::new())
    }
}

impl<D: Declared> Slot<D> for InlineSlot<D> {
    #[inline(always)]
    fn cache(&self) -> *const Cache<D> {
        &raw const self.0
    }

    #[inline(always)]
    fn cache_or_new(&self) -> *const Cache<D> {
        &raw const self.0
    }

    /// There is nothing to take back; without a heap, every bin of the cache is idle.
    fn let_go(&self) {}
}

/// `tls = pointer`: one thread-local word; the cache lies in the arena.
pub struct PointerSlot<D: Declared>(Cell<*const Cache<D>>);

impl<D: Declared> PointerSlot<D> {
    /// A slot without a cache.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made in constants only")]
    pub const fn new() -> Self {
        Self(Cell::new(ptr::null()))
    }
}

impl<D: Declared> Slot<D> for PointerSlot<D> {
    #[inline(always)]
    fn cache(&self) -> *const Cache<D> {
        self.0.get()
    }

    fn cache_or_new(&self) -> *const Cache<D> {
        if self.0.get().is_null()
            && let Some(cache) = D::shared().new_cache()
        {
            self.0.set(cache.as_ptr());
        }
        self.0.get()
    }

    fn let_go(&self) {
        let cache = self.0.replace(ptr::null());
        if let Some(cache) = ptr::NonNull::new(cache.cast_mut()) {
            D::shared().recycle_cache(cache);
        }
    }
}

/// `tls = initial_exec`: as [`PointerSlot`], but the word is that of the process's `malloc`.
pub struct InitialExecSlot<D>(PhantomData<D>);

impl<D: Declared> InitialExecSlot<D> {
    /// The slot: nothing by itself.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made in constants only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<D: Declared> Slot<D> for InitialExecSlot<D> {
    #[inline(always)]
    fn cache(&self) -> *const Cache<D> {
        thread_word::get().cast()
    }

    fn cache_or_new(&self) -> *const Cache<D> {
        if self.cache().is_null()
            && let Some(cache) = D::shared().new_cache()
        {
            thread_word::set(cache.as_ptr().cast());
        }
        self.cache()
    }

    fn let_go(&self) {
        let cache = self.cache();
        thread_word::set(ptr::null());
        if let Some(cache) = ptr::NonNull::new(cache.cast_mut()) {
            D::shared().recycle_cache(cache);
        }
    }
}
