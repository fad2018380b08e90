#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

use std::alloc::Layout;

#[derive_allocator]
struct Value;

const VALUE: Value = Value;

fn main() {
    let layout = Layout::new::<[u64; 5]>();
    let block = VALUE.allocate(layout).expect("there is memory");
    assert!(VALUE.usable_size(layout) >= layout.size());
    // SAFETY: the block is live, of this layout; then of the new one.
    unsafe {
        block.cast::<[u64; 5]>().write([7; 5]);
        let block = VALUE
            .reallocate(block, layout, 4000)
            .expect("there is memory");
        assert_eq!(block.cast::<[u64; 5]>().read(), [7; 5]);
        VALUE.deallocate(
            block,
            Layout::from_size_align(4000, layout.align()).unwrap(),
        );
    }
    assert!(
        VALUE
            .allocate(Layout::from_size_align(1 << 62, 1).unwrap())
            .is_none()
    );
    Value::purge();
    load::check(&VALUE);
}
