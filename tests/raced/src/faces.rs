//! The declared types, and the two faces by which they are used: Rust's, by layouts, and C's, by addresses.

use std::alloc::{GlobalAlloc, Layout};
use std::marker::PhantomData;

use allocator_core::__private::c_face;
use allocator_core::derive_allocator;

use crate::exchange::Exchange;

/// As it comes.
#[derive_allocator]
pub struct Default;

/// Little is kept, the heap behind a pointer.
#[derive_allocator(preset = compact, tls = pointer)]
pub struct Compact;

/// Nothing is kept.
#[derive_allocator(
    small_extend = all,
    retire_cycles = 0,
    fast_path(local_first = off, skip_collect = off, cache = off),
    purge = now,
    stats = counters,
)]
pub struct Eager;

/// The smallest cache that has a mode of its own, of classes that are no powers of two.
#[derive_allocator(
    size_classes = [24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776, 65536],
    fast_path(cache = 4),
    purge = after(1ms),
)]
pub struct Cached;

/// Requests are counted.
#[derive_allocator(stats = histogram)]
pub struct Recorded;

/// Misuse is looked for.
#[derive_allocator(hardening = checked)]
pub struct Checked;

/// Guards, and chunks of its own.
#[derive_allocator(hardening(guards, isolate), purge = after(1ms))]
pub struct Walled;

/// All of `hardening`.
#[derive_allocator(hardening(level = guarded, sample = 20))]
pub struct Fortified;

/// Of both faces.
#[derive_allocator(export = malloc, crate = crate::nameless)]
pub struct Exported;

/// A face of a type.
pub trait Face: 'static {
    /// Where its threads leave blocks.
    fn exchange() -> &'static Exchange;

    /// A block; null without memory.
    fn allocate(layout: Layout, is_zeroed: bool) -> *mut u8;

    /// # Safety
    /// - the block is a live one of this face and layout, and the caller's.
    unsafe fn free(block: *mut u8, layout: Layout);

    /// Null without memory, and the block is as it was.
    ///
    /// # Safety
    /// - as [`Face::free`], of an alignment of 8.
    unsafe fn resize(block: *mut u8, layout: Layout, size: usize) -> *mut u8;

    /// Gives back what is free.
    fn purge();
}

/// A type that is used by layouts.
pub trait Declared: GlobalAlloc + Sized + 'static {
    /// Its only value.
    const IT: Self;

    /// The inherent function.
    fn purge();

    /// Where its threads leave blocks.
    fn exchange() -> &'static Exchange;
}

macro_rules! declared {
    ($($name:ident),* $(,)?) => { $(
        impl Declared for $name {
            const IT: Self = Self;

            fn purge() {
                Self::purge();
            }

            fn exchange() -> &'static Exchange {
                static EXCHANGE: Exchange = Exchange::new();
                &EXCHANGE
            }
        }
    )* };
}

declared!(
    Default, Compact, Eager, Cached, Recorded, Checked, Walled, Fortified, Exported,
);

/// Rust's face.
pub struct ByLayout<A>(PhantomData<A>);

impl<A: Declared> Face for ByLayout<A> {
    fn exchange() -> &'static Exchange {
        A::exchange()
    }

    fn allocate(layout: Layout, is_zeroed: bool) -> *mut u8 {
        // SAFETY: no size is 0.
        unsafe {
            if is_zeroed {
                A::IT.alloc_zeroed(layout)
            } else {
                A::IT.alloc(layout)
            }
        }
    }

    unsafe fn free(block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { A::IT.dealloc(block, layout) };
    }

    unsafe fn resize(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { A::IT.realloc(block, layout, size) }
    }

    fn purge() {
        A::purge();
    }
}

/// C's face, of the one type that has it.
pub struct C;

impl Face for C {
    fn exchange() -> &'static Exchange {
        Exported::exchange()
    }

    fn allocate(layout: Layout, is_zeroed: bool) -> *mut u8 {
        match layout.align() {
            ..=16 if is_zeroed => c_face::calloc::<Exported>(1, layout.size()),
            ..=16 => c_face::malloc::<Exported>(layout.size()),
            align => {
                let block = c_face::memalign::<Exported>(align, layout.size());
                if is_zeroed && !block.is_null() {
                    // SAFETY: just allocated with this size.
                    unsafe { block.write_bytes(0, layout.size()) };
                }
                block
            }
        }
    }

    unsafe fn free(block: *mut u8, _: Layout) {
        // SAFETY: the caller's promise.
        unsafe { c_face::free::<Exported>(block) };
    }

    unsafe fn resize(block: *mut u8, _: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { c_face::realloc::<Exported>(block, size) }
    }

    fn purge() {
        Exported::purge();
    }
}

/// A block that comes and goes.
pub fn first_allocation() {
    let layout = Layout::new::<u64>();
    let block = ByLayout::<Default>::allocate(layout, false);
    // SAFETY: just allocated as this.
    unsafe { ByLayout::<Default>::free(block, layout) };
}
