//! A program, this one, whose global allocator is a declared type that keeps
//! as little as it can, behind a pointer, and counts.

use allocator_core::derive_allocator;
use allocator_tests::ordinary_work;

/// Everything goes back at once.
#[derive_allocator(
    preset = compact,
    retire_cycles = 0,
    fast_path(cache = 4, local_first = off, skip_collect = off),
    purge = now,
    stats = histogram,
    tls = pointer,
)]
struct Global;

#[global_allocator]
static GLOBAL: Global = Global;

ordinary_work!(Global);

#[test]
fn what_the_program_does_is_counted() {
    let before = Global::stats();
    let boxes: Vec<_> = (0..1000_u64).map(Box::new).collect();
    let during = Global::stats();
    assert!(during.allocations >= before.allocations + 1001);
    assert!(during.held_bytes > 0);
    drop(boxes);
    assert!(Global::stats().frees >= before.frees + 1001);
}
