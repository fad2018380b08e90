#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

/// Allocator of the whole program.
#[derive_allocator(
    preset = balanced,
    size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
    small_extend = half_remaining,
    retire_cycles(small = 48, large = 16),
    fast_path(local_first, skip_collect, cache = 64),
    purge = after(10ms),
)]
pub struct RequestAlloc;

#[global_allocator]
static GLOBAL: RequestAlloc = RequestAlloc;

fn main() {
    let words: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let words = words.clone();
            std::thread::spawn(move || words.into_iter().map(|word| word.len()).sum::<usize>())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 38_890);
    }
    load::check(&GLOBAL);
}
