//! The loops whose instructions are counted. None is inlined into its caller,
//! so that each is counted as it would stand alone.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::mem;

/// What is allocated: 48 bytes.
const RECORD: Layout = Layout::new::<[u64; 6]>();

/// Blocks that are live while random ones are replaced.
const LIVE: usize = 20_000;

/// Blocks live at a time in the bursts.
const BURST: usize = 100;

/// The allocator of the process, by way of `std::alloc`, as `Box` and `Vec` go.
pub struct Global;

// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Global {
    #[inline(always)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { std::alloc::alloc(layout) }
    }

    #[inline(always)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { std::alloc::dealloc(block, layout) }
    }
}

/// A block that the compiler knows nothing of.
#[inline(always)]
fn block(allocator: &impl GlobalAlloc) -> *mut u8 {
    // SAFETY: the layout is not empty.
    let block = unsafe { allocator.alloc(RECORD) };
    // The common path knows that already: it costs nothing there.
    assert!(!block.is_null(), "there is memory for 48 bytes");
    black_box(block)
}

/// Allocates and frees one block at a time, `count` times.
#[inline(never)]
pub fn pair(allocator: &impl GlobalAlloc, count: usize) {
    for _ in 0..count {
        // SAFETY: just allocated with this layout.
        unsafe { allocator.dealloc(block(allocator), RECORD) };
    }
}

/// Allocates a hundred blocks, then frees them, `count` blocks in all.
#[inline(never)]
pub fn burst(allocator: &impl GlobalAlloc, count: usize) {
    let mut blocks = [std::ptr::null_mut(); BURST];
    for _ in 0..count / BURST {
        blocks.fill_with(|| block(allocator));
        for block in blocks {
            // SAFETY: allocated above with this layout.
            unsafe { allocator.dealloc(block, RECORD) };
        }
    }
}

/// Replaces a random one of 20,000 live blocks, `count` times.
#[inline(never)]
pub fn random(allocator: &impl GlobalAlloc, count: usize) {
    let mut blocks: Vec<*mut u8> = (0..LIVE).map(|_| block(allocator)).collect();
    replace(allocator, &mut blocks, count);
    for block in blocks {
        // SAFETY: allocated above with this layout.
        unsafe { allocator.dealloc(block, RECORD) };
    }
}

#[inline(never)]
fn replace(allocator: &impl GlobalAlloc, blocks: &mut [*mut u8], count: usize) {
    // The new block first, as `blocks[index] = Box::new(…)` has it.
    visit(blocks, count, |place| {
        let old = mem::replace(place, block(allocator));
        // SAFETY: every element is a live block of this layout, and this one is out.
        unsafe { allocator.dealloc(old, RECORD) };
    });
}

/// What is left of [`random`] without the allocator: the loop's own instructions.
#[inline(never)]
pub fn loop_alone(count: usize) {
    let mut blocks = vec![std::ptr::null_mut(); LIVE];
    visit(&mut blocks, count, |block| *block = black_box(*block));
}

/// Calls `act` on `count` random elements: a linear congruential generator, whose upper half
/// picks the element without a division.
#[inline(always)]
fn visit(blocks: &mut [*mut u8], count: usize, mut act: impl FnMut(&mut *mut u8)) {
    let mut state: u64 = 1;
    for _ in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = ((state >> 32) * LIVE as u64) >> 32;
        // SAFETY: the upper half is under 2^32, so the index is under LIVE, their number.
        act(unsafe { blocks.get_unchecked_mut(index as usize) });
    }
}
