#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(export = malloc, tls = inline, size_classes = [8, 16, 24, 48, 96], fast_path(direct_max = 40))]
struct Malloc;

#[global_allocator]
static GLOBAL: Malloc = Malloc;

fn main() {
    load::check(&Malloc);
    let numbers: Vec<Vec<u8>> = (0..1000).map(|size| vec![1; size]).collect();
    std::thread::spawn(move || drop(numbers)).join().unwrap();
    for size in 0..200 {
        // SAFETY: C's functions, called as C says.
        unsafe {
            let block = libc::malloc(size);
            assert!(!block.is_null() && block.addr() % 16 == 0);
            libc::free(block);
        }
    }
}
