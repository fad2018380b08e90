//! Two allocators in one program: what one gives back serves the other.

use allocator_core::derive_allocator;
use std::alloc::Layout;
use std::collections::HashSet;
use std::ptr::NonNull;

/// For the phase that parses: many classes, nothing kept.
#[derive_allocator(preset = compact)]
struct ParseAlloc;

/// For the phase that answers: few extensions, large caches.
#[derive_allocator(preset = throughput, stats = counters)]
struct AnswerAlloc;

/// A node of either phase.
const NODE: Layout = Layout::new::<[u64; 16]>();

/// Nodes of a phase.
const NODES: usize = 100_000;

/// The 64 KiB slice of memory that a block lies in.
fn slice(block: &NonNull<u8>) -> usize {
    block.addr().get() >> 16
}

fn main() {
    let parsed: Vec<_> = (0..NODES)
        .filter_map(|_| ParseAlloc.allocate(NODE))
        .collect();
    let slices: HashSet<usize> = parsed.iter().map(slice).collect();
    for block in parsed {
        // SAFETY: allocated above with this layout, and not used any more.
        unsafe { ParseAlloc.deallocate(block, NODE) };
    }

    let answers: Vec<_> = (0..NODES)
        .filter_map(|_| AnswerAlloc.allocate(NODE))
        .collect();
    let reused: HashSet<usize> = answers
        .iter()
        .map(slice)
        .filter(|it| slices.contains(it))
        .collect();
    println!(
        "{} KiB served the first allocator; {} % of it now serve the second, which holds {} KiB",
        slices.len() * 64,
        100 * reused.len() / slices.len(),
        AnswerAlloc::stats().held_bytes / 1024
    );
    for block in answers {
        // SAFETY: allocated above with this layout, and not used any more.
        unsafe { AnswerAlloc.deallocate(block, NODE) };
    }
}
