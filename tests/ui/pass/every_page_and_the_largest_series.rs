#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(page = 64KiB, size_classes = geometric(max = 64KiB))]
struct Page64;
#[derive_allocator(page = 131072)]
struct Page128;
#[derive_allocator(page = 256KiB, size_classes = geometric(per_doubling = 1, max = 256KiB))]
struct Page256;
#[derive_allocator(page = 4 * 128KiB, size_classes = geometric(per_doubling = 8, max = 512KiB))]
struct Page512;

fn main() {
    load::check(&Page64);
    load::check(&Page128);
    load::check(&Page256);
    load::check(&Page512);
    assert_eq!(Page512::CONFIG.page_bytes, 512 << 10);
    assert_eq!(Page512::CONFIG.class_bytes.last(), Some(&(512 << 10)));
}
