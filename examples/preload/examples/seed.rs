//! `LD_PRELOAD=target/release/examples/libseed.so some-program`: the preset `seed` under any program.

#[allocator_core::derive_allocator(preset = seed, export = malloc)]
struct Preload;
