#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [8, 16, 24, 40, 64, 128, 208, 416, 800, 1KiB, 2KiB, 4KiB,])]
struct Listed;

fn main() {
    load::check(&Listed);
    assert_eq!(Listed::CONFIG.class_bytes.len(), 12);
    // The preset's table gives way to the largest class.
    assert_eq!(Listed::CONFIG.fast_path.direct_max, 4096);
}
