//! A declared type as the tests see it: through its inherent methods, whatever its name.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::NonNull;

use allocator_core::__private::{Declared, check_invariants};
use allocator_core::{Config, Stats};

/// A declared type. Implemented by [`subjects!`](crate::subjects).
pub trait Subject: Declared + GlobalAlloc + Send + Sync + 'static {
    /// The type's only value.
    const IT: Self;
    /// The inherent constant.
    const CHOICES: Config;

    /// The inherent method.
    fn allocate(layout: Layout) -> Option<NonNull<u8>>;

    /// The inherent method.
    ///
    /// # Safety
    /// - as for the inherent method.
    unsafe fn deallocate(block: NonNull<u8>, layout: Layout);

    /// The inherent method.
    ///
    /// # Safety
    /// - as for the inherent method.
    unsafe fn reallocate(
        block: NonNull<u8>,
        layout: Layout,
        new_size: usize,
    ) -> Option<NonNull<u8>>;

    /// The inherent method.
    fn usable_size(layout: Layout) -> usize;
    /// The inherent function.
    fn purge();
    /// The inherent function.
    fn stats() -> Stats;

    /// `GlobalAlloc::alloc_zeroed`; there is no inherent one.
    fn allocate_zeroed(layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the declared types serve a size of zero, too.
        NonNull::new(unsafe { Self::IT.alloc_zeroed(layout) })
    }

    /// Asserts the calling thread's invariants; debug builds only.
    fn check() {
        check_invariants::<Self>();
    }

    /// Whether the type keeps account of what it does.
    fn counts() -> bool {
        Self::CHOICES.stats != allocator_core::config::StatsLevel::Off
    }
}

/// Makes declared types [`Subject`]s.
#[macro_export]
macro_rules! subjects {
    ($($name:ident),* $(,)?) => { $(
        impl $crate::subject::Subject for $name {
            const IT: Self = $name;
            const CHOICES: ::allocator_core::Config = $name::CONFIG;
            fn allocate(layout: ::std::alloc::Layout) -> Option<::std::ptr::NonNull<u8>> {
                $name::allocate(&$name, layout)
            }
            unsafe fn deallocate(block: ::std::ptr::NonNull<u8>, layout: ::std::alloc::Layout) {
                // SAFETY: the caller's promise.
                unsafe { $name::deallocate(&$name, block, layout) }
            }
            unsafe fn reallocate(
                block: ::std::ptr::NonNull<u8>,
                layout: ::std::alloc::Layout,
                new_size: usize,
            ) -> Option<::std::ptr::NonNull<u8>> {
                // SAFETY: the caller's promise.
                unsafe { $name::reallocate(&$name, block, layout, new_size) }
            }
            fn usable_size(layout: ::std::alloc::Layout) -> usize {
                $name::usable_size(&$name, layout)
            }
            fn purge() {
                $name::purge();
            }
            fn stats() -> ::allocator_core::Stats {
                $name::stats()
            }
        }
    )* };
}

/// A layout that is known to be one.
///
/// # Panics
/// When it is none.
#[must_use]
#[track_caller]
pub fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}
