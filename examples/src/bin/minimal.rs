//! The least that works: declare a type, use its value.

use allocator_core::derive_allocator;
use std::alloc::Layout;

/// An allocator with every option at its default.
#[derive_allocator]
struct Alloc;

fn main() {
    let layout = Layout::new::<[u64; 6]>();
    let block = Alloc
        .allocate(layout)
        .expect("there is memory for 48 bytes");
    // SAFETY: the block is 48 bytes long and nobody else's.
    unsafe { block.cast::<[u64; 6]>().write([1, 1, 2, 3, 5, 8]) };
    // SAFETY: just written.
    let sum: u64 = unsafe { block.cast::<[u64; 6]>().read() }.iter().sum();
    // SAFETY: allocated above with this layout, and not used any more.
    unsafe { Alloc.deallocate(block, layout) };
    println!("sum {sum}");
}
