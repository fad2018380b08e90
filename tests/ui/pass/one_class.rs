#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(size_classes = [64])]
struct One;

#[derive_allocator(size_classes = [4368])]
struct OneRecord;

fn main() {
    load::check(&One);
    load::check(&OneRecord);
    assert_eq!(One::CONFIG.class_bytes, [64]);
    assert_eq!(One::CONFIG.classes().len(), 1);
    // The preset's cache gives way to what fills a page.
    assert_eq!(OneRecord::CONFIG.fast_path.cache, 15);
}
