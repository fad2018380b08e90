#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator]
struct Plain;

#[derive_allocator()]
struct Parentheses;

fn main() {
    load::check(&Plain);
    load::check(&Parentheses);
    assert_eq!(
        Plain::CONFIG.fingerprint(),
        Parentheses::CONFIG.fingerprint()
    );
    assert_eq!(Plain::CONFIG.class_bytes[..4], [8, 16, 24, 32]);
    assert_eq!(Plain::CONFIG.name, "Plain");
}
