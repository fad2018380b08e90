#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(export = malloc)]
struct Malloc;

fn main() {
    // Of Rust it is as any other.
    load::check(&Malloc);
    // SAFETY: C's functions, called as C says.
    unsafe {
        let block = libc::malloc(100);
        assert!(!block.is_null() && block.addr() % 16 == 0);
        // What Rust is told of the layout, C finds by the address.
        let layout = std::alloc::Layout::from_size_align_unchecked(100, 16);
        assert_eq!(libc::malloc_usable_size(block), Malloc.usable_size(layout));
        libc::free(libc::realloc(block, 100_000));
    }
}
