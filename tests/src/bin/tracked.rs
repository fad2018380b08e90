//! Uses a block after its free, or not: what AddressSanitizer makes of it is for `.ci/sanitize` to look at.

use std::alloc::Layout;
use std::hint::black_box;
use std::ptr::NonNull;

use allocator_core::derive_allocator;

/// As it comes.
#[derive_allocator]
struct Tracked;

/// `clean`, or `after_free BYTES`
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = arguments
        .get(1)
        .map_or(100, |text| text.parse().expect("a number"));
    let layout = Layout::from_size_align(size, 8).expect("a layout");
    let blocks: Vec<_> = (0..100)
        .map(|_| Tracked.allocate(layout).expect("memory"))
        .collect();
    for block in &blocks {
        // SAFETY: in bounds.
        unsafe { block.as_ptr().write_bytes(1, size) };
    }
    for block in blocks.iter().copied() {
        // SAFETY: freed once.
        unsafe { Tracked.deallocate(block, layout) };
    }
    // Some of them again, which may be used.
    let again: Vec<_> = (0..20)
        .map(|_| Tracked.allocate(layout).expect("memory"))
        .collect();
    for block in &again {
        // SAFETY: in bounds.
        unsafe { block.as_ptr().write_bytes(1, size) };
    }
    let is_free = |block: &&NonNull<u8>| !again.contains(block);
    let victim = *blocks.iter().find(is_free).expect("more were freed");
    match arguments[0].as_str() {
        "clean" => println!("clean"),
        "after_free" => {
            // SAFETY: none; the mistake.
            let read = unsafe { black_box(victim.add(size / 2)).read_volatile() };
            println!("read {read}");
        }
        other => panic!("unknown: {other}"),
    }
}
