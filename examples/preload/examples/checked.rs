//! `LD_PRELOAD=target/release/examples/libchecked.so some-program`: misuse in any program ends it, with one line.

#[allocator_core::derive_allocator(hardening = checked, export = malloc)]
struct Preload;
