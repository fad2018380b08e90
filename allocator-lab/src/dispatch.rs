//! The one `#[global_allocator]` type: hands every call to the contestant that
//! this process was started for.
//!
//! Which one that is comes from the environment variable [`SELECTION`] and is
//! decided at the first allocation, which the Rust runtime makes before
//! `main`; it never changes after that. The price is the same for every
//! contestant, `System` included: two dependent loads and an indirect call,
//! always to the same target. It hides the gain that a declared allocator has
//! when it is the program's own static: there its fast path is inlined into
//! the caller and the class of a constant size folds away. So the ratios here
//! are, if anything, unkind to the declared allocators against `System`; among
//! each other they are compared on equal terms.

use crate::contestants::{self, Contestant};
use std::alloc::{GlobalAlloc, Layout};
use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Environment variable with the name of the contestant to be served by.
/// Absent or unknown, `System` serves. Spaces after the name are ignored, so
/// that the parent can give every child an environment of the same length.
pub const SELECTION: &CStr = c"ALLOCATOR_LAB_ALLOCATOR";

/// Who serves this process: [`UNDECIDED`], and from the first allocation on a
/// row of [`contestants::CONTESTANTS`]. Only ever the address of a static.
///
/// Relaxed everywhere: what it points to is immutable from the start of the
/// process, so there is nothing to publish; and two threads that decide at the
/// same time decide the same.
static SELECTED: AtomicPtr<Contestant> = AtomicPtr::new((&raw const UNDECIDED).cast_mut());

/// Decides at its first call and passes it on.
static UNDECIDED: Contestant = Contestant {
    name: "",
    about: "",
    allocator: &Undecided,
    config: None,
};

/// Allocates from the contestant that this process was started for.
pub struct Dispatch;

/// The contestant that serves this process.
#[must_use]
pub fn selected() -> &'static Contestant {
    match current() {
        undecided if undecided.name.is_empty() => decide(),
        decided => decided,
    }
}

#[inline(always)]
fn current() -> &'static Contestant {
    // SAFETY:
    // - valid for reads, for ever: only addresses of statics are stored in `SELECTED`;
    // - never written: a `Contestant` has no interior mutability.
    unsafe { &*SELECTED.load(Ordering::Relaxed) }
}

/// Reads the selection from the environment. Does not allocate.
#[cold]
fn decide() -> &'static Contestant {
    // SAFETY:
    // - `SELECTION` is terminated by NUL;
    // - no other thread changes the environment meanwhile: the first allocation
    //   comes before `main`, and nothing in this program sets a variable of its own.
    let value = unsafe { libc::getenv(SELECTION.as_ptr()) };
    let name = if value.is_null() {
        ""
    } else {
        // SAFETY:
        // - not null (checked above), and `getenv` points to a string terminated by NUL;
        // - it lives and stays unchanged as long as the environment does (above).
        unsafe { CStr::from_ptr(value) }.to_str().unwrap_or("")
    };
    let selected = contestants::by_name(name.trim_end()).unwrap_or(contestants::SYSTEM);
    SELECTED.store(std::ptr::from_ref(selected).cast_mut(), Ordering::Relaxed);
    selected
}

// SAFETY: every call goes, unchanged, to one and the same allocator for the
// whole life of the process, and that one keeps the contract.
unsafe impl GlobalAlloc for Dispatch {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { current().allocator.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on; the block is from the
        // same allocator, since the selection never changes.
        unsafe { current().allocator.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { current().allocator.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`.
        unsafe { current().allocator.realloc(block, layout, new_size) }
    }
}

/// Stands in until the first call, so that the decision costs later calls nothing.
struct Undecided;

// SAFETY: every call goes, unchanged, to the allocator that serves all later
// ones, and that one keeps the contract.
unsafe impl GlobalAlloc for Undecided {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { decide().allocator.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on; whoever allocated the
        // block was decided on by the same unchanging environment.
        unsafe { decide().allocator.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { decide().allocator.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`.
        unsafe { decide().allocator.realloc(block, layout, new_size) }
    }
}
