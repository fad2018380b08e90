//! Size classes for a record that a program keeps by the million: no byte of
//! a block is left over.

use allocator_core::derive_allocator;
use std::alloc::Layout;

/// What the program keeps by the million.
#[allow(dead_code)]
struct Order {
    number: u64,
    customer: [u64; 4],
    lines: [(u64, u64); 10],
    total: u64,
}

/// Bytes of a record.
const ORDER: usize = size_of::<Order>();

/// The classes are checked by the compiler, the constant one included: try `ORDER + 1`.
#[derive_allocator(size_classes = [16, 32, 64, 128, ORDER, 384, 768, 1KiB, 2KiB, 4KiB])]
struct OrderAlloc;

/// The default, to compare.
#[derive_allocator]
struct DefaultAlloc;

fn main() {
    let layout = Layout::new::<Order>();
    let default = DefaultAlloc.usable_size(layout);
    let own = OrderAlloc.usable_size(layout);
    println!(
        "an order has {ORDER} bytes: blocks of {default} by default, of {own} with its own class"
    );
    println!(
        "a million orders take {} KiB less",
        (default - own) * 1_000_000 / 1024
    );
}
