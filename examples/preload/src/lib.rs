//! `LD_PRELOAD=target/release/libpreload.so some-program`: the default allocator under any program.

/// The process's `malloc`.
#[allocator_core::derive_allocator(export = malloc)]
pub struct Preload;
