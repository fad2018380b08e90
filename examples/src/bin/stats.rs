//! What an allocator is made of, and what it did.

use allocator_core::derive_allocator;
use std::hint::black_box;

/// Counts what it does.
#[derive_allocator(
    size_classes = geometric(quantum = 16, per_doubling = 2, max = 4KiB),
    stats = counters,
)]
struct CountedAlloc;

#[global_allocator]
static GLOBAL: CountedAlloc = CountedAlloc;

fn main() {
    println!("{}", CountedAlloc::CONFIG);
    println!("fingerprint {:016x}\n", CountedAlloc::CONFIG.fingerprint());

    println!("block  from  worst waste  per page");
    for class in CountedAlloc::CONFIG.classes() {
        println!(
            "{:5} {:5} {:10.1} % {:9}",
            class.block_bytes,
            class.smallest_request_bytes,
            100.0 * class.worst_waste(),
            class.blocks_per_page
        );
    }

    // A burst that is all freed, again and again: the pages are kept for the next.
    for _ in 0..100 {
        black_box((0..1000).map(Box::new).collect::<Vec<Box<u64>>>());
    }
    let stats = CountedAlloc::stats();
    println!("\n{} allocations", stats.allocations);
    println!("{} frees", stats.frees);
    println!("{} refills", stats.refills);
    println!("{} extensions", stats.extensions);
    println!("{} pages made", stats.pages_made);
    println!("{} KiB held", stats.held_bytes / 1024);
}
