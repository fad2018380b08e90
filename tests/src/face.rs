//! The two faces of a type: Rust's, which tells the layout at a free, and C's, which does not.

use std::alloc::Layout;
use std::hint::black_box;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use crate::block::Block;
use crate::checked_load;
use crate::random::Random;
use crate::scenario::c_faults;
use crate::subject::{Subject, layout};

/// A face of a declared type. Addresses are numbers: any thread may have them, and nobody knows what is there.
pub trait Face: Send + Sync + 'static {
    /// Whether it is C's.
    const IS_C: bool;

    /// A block of `size` bytes; `None` without memory.
    fn try_allocate(size: usize) -> Option<usize>;

    /// A block of `size` bytes.
    ///
    /// # Panics
    /// Without memory.
    #[must_use]
    fn allocate(size: usize) -> usize {
        Self::try_allocate(size).expect("there is memory")
    }

    /// # Safety
    /// - that of the face, unless the process is to be ended or its heap to be spoilt.
    unsafe fn free(block: usize, size: usize);

    /// A block at a multiple of `align`; `None` without memory, or when there can be no such block.
    fn try_allocate_aligned(size: usize, align: usize) -> Option<usize>;

    /// Frees a block of that.
    ///
    /// # Safety
    /// - that of the face.
    unsafe fn free_aligned(block: usize, size: usize, align: usize);

    /// The block with another size; `None` without memory, and the block is as it was.
    ///
    /// # Safety
    /// - that of the face.
    unsafe fn try_resize(block: usize, size: usize, new_size: usize) -> Option<usize>;

    /// Gives back what is free.
    fn purge();

    /// A mixed load in which every block is verified; how much was refused for want of memory.
    fn load(seed: u64) -> usize;
}

fn pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}

/// Rust's.
pub struct OfRust<A>(PhantomData<fn() -> A>);

impl<A: Subject> Face for OfRust<A> {
    const IS_C: bool = false;

    fn try_allocate(size: usize) -> Option<usize> {
        Self::try_allocate_aligned(size, 8)
    }

    unsafe fn free(block: usize, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { Self::free_aligned(block, size, 8) };
    }

    fn try_allocate_aligned(size: usize, align: usize) -> Option<usize> {
        let block = A::allocate(Layout::from_size_align(size, align).ok()?)?;
        Some(block.expose_provenance().get())
    }

    unsafe fn free_aligned(block: usize, size: usize, align: usize) {
        let block = NonNull::new(pointer(block)).expect("an address");
        // SAFETY: the caller's promise.
        unsafe { A::deallocate(block, layout(size, align)) };
    }

    unsafe fn try_resize(block: usize, size: usize, new_size: usize) -> Option<usize> {
        let block = NonNull::new(pointer(block)).expect("an address");
        // SAFETY: the caller's promise.
        let resized = unsafe { A::reallocate(block, layout(size, 8), new_size) };
        Some(resized?.expose_provenance().get())
    }

    fn purge() {
        A::purge();
    }

    fn load(seed: u64) -> usize {
        // A mapping that is made, grown, and given back: whatever the random part does.
        let mut mapping = Block::<A>::new(17 << 20, 8, true, 1);
        let grown = mapping
            .as_mut()
            .is_some_and(|mapping| mapping.reallocate(18 << 20));
        mapping.into_iter().for_each(Block::free);
        let refused = checked_load::run::<A>(&mut Random::new(seed), 200).refused;
        refused + usize::from(!grown)
    }
}

/// C's, by the process's `malloc`, of which `A` is the type where that is known.
pub struct OfC<A = ()>(PhantomData<fn() -> A>);

// The compiler knows `malloc`, and would take a block for nobody's: hence the black boxes.
impl<A: 'static> Face for OfC<A> {
    const IS_C: bool = true;

    fn try_allocate(size: usize) -> Option<usize> {
        // SAFETY: always allowed.
        let block = unsafe { black_box(libc::malloc(size)) };
        (!block.is_null()).then(|| block.expose_provenance())
    }

    unsafe fn free(block: usize, _: usize) {
        // SAFETY: the caller's promise.
        unsafe { libc::free(black_box(pointer(block).cast())) };
    }

    fn try_allocate_aligned(size: usize, align: usize) -> Option<usize> {
        // SAFETY: always allowed.
        let block = unsafe { black_box(libc::memalign(align, size)) };
        (!block.is_null()).then(|| block.expose_provenance())
    }

    unsafe fn free_aligned(block: usize, size: usize, _: usize) {
        // SAFETY: the caller's promise.
        unsafe { Self::free(block, size) };
    }

    unsafe fn try_resize(block: usize, _: usize, new_size: usize) -> Option<usize> {
        let block = black_box(pointer(block).cast());
        // SAFETY: the caller's promise.
        let resized = unsafe { black_box(libc::realloc(block, new_size)) };
        (!resized.is_null()).then(|| resized.expose_provenance())
    }

    fn purge() {
        // SAFETY: always allowed.
        unsafe { libc::malloc_trim(0) };
    }

    fn load(seed: u64) -> usize {
        c_faults::load(seed)
    }
}
