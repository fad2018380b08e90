#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

/// What a crate may forbid itself, the expansion keeps too.
#[deny(
    missing_docs,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unsafe_code
)]
#[deny(unsafe_op_in_unsafe_fn, unused, unused_qualifications)]
mod strict {
    const RECORD: u128 = 24;

    #[allocator_core::derive_allocator(
        size_classes = [8, 16, RECORD, (RECORD + 8)],
        limit = 4GiB,
        fast_path(cache = 1)
    )]
    pub(crate) struct Undocumented;
}

#[derive_allocator]
struct Unused;

fn main() {
    load::check(&strict::Undocumented);
}
