#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(size_classes = file("classes/fitted.classes"))]
struct Fitted;

fn main() {
    load::check(&Fitted);
    assert_eq!(
        Fitted::CONFIG.class_bytes,
        [8, 16, 24, 40, 64, 128, 208, 416, 800, 1024, 2048]
    );
}
