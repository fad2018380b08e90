#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

mod records {
    #[repr(C)]
    pub struct Record([u64; 13]);
    pub const HEADER: u32 = 24;
}

// Names that the expansion uses inside are the user's outside.
const CLASS_BYTES: usize = 64;
const BUDGET: usize = 1 << 30;
const SHIFT: u32 = 10;
const MIB: usize = 1 << 20;

#[derive_allocator(
    size_classes = [
        8, 16, records::HEADER, 2 * records::HEADER - 8, CLASS_BYTES,
        size_of::<records::Record>(), 208, 4 * 104, CLASS_BYTES * 13, 1KiB + CLASS_BYTES,
    ],
    small_extend = batch(CLASS_BYTES * 64),
    fast_path(direct_max = 512, cache = 100),
    limit = BUDGET / 2 - 1MiB,
)]
struct Computed;

// The preset's numbers give way to classes that only the compiler knows.
#[derive_allocator(size_classes = [CLASS_BYTES * 64])]
struct OneComputed;

// Literals alone are sizes, not `i32`.
#[derive_allocator(limit = 5MiB << SHIFT)]
struct Shifted;

#[derive_allocator(limit = if SHIFT > 3 { 4 * 1GiB } else { 1MiB })]
struct Chosen;

// What a macro is given stays together.
macro_rules! twice {
    ($name:ident, $bytes:expr) => {
        #[derive_allocator(limit = $bytes * 2)]
        struct $name;
    };
}
twice!(Twice, MIB + MIB);

fn main() {
    load::check(&Computed);
    assert_eq!(Shifted::CONFIG.limit_bytes, Some(5 << 30));
    assert_eq!(Chosen::CONFIG.limit_bytes, Some(4 << 30));
    assert_eq!(Twice::CONFIG.limit_bytes, Some(4 << 20));
    load::check(&OneComputed);
    assert_eq!(
        Computed::CONFIG.class_bytes,
        [8, 16, 24, 40, 64, 104, 208, 416, 832, 1088]
    );
    assert_eq!(Computed::CONFIG.limit_bytes, Some((512 << 20) - (1 << 20)));
    assert_eq!(OneComputed::CONFIG.class_bytes, [4096]);
    assert_eq!(OneComputed::CONFIG.fast_path.cache, 16);
    assert_eq!(OneComputed::CONFIG.fast_path.direct_max, 4096);
}
