use std::alloc::Layout;

use allocator_core::derive_allocator;

#[derive_allocator(page = 96KiB)]
struct Wrong;

#[global_allocator]
static GLOBAL: Wrong = Wrong;

fn main() {
    let layout = Layout::new::<u64>();
    let block = Wrong.allocate(layout).unwrap();
    let block = unsafe { Wrong.reallocate(block, layout, 64).unwrap() };
    unsafe { Wrong.deallocate(block, Layout::new::<[u64; 8]>()) };
    println!("{} {}", Wrong.usable_size(layout), Wrong::CONFIG);
    println!("{:?}", Wrong::stats());
    Wrong::purge();
}
