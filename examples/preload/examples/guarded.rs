//! `LD_PRELOAD=target/release/examples/libguarded.so some-program`: as `checked`, and all else that is looked for.

#[allocator_core::derive_allocator(hardening = guarded, export = malloc)]
struct Preload;
