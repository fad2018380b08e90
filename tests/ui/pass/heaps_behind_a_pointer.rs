#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(tls = pointer)]
struct Pointer;
#[derive_allocator(tls = inline)]
struct Inline;

fn main() {
    load::check(&Pointer);
    load::check(&Inline);
    std::thread::spawn(|| load::check(&Pointer)).join().unwrap();
}
