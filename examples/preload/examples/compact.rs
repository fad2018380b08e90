//! `LD_PRELOAD=target/release/examples/libcompact.so some-program`: the preset `compact` under any program.

#[allocator_core::derive_allocator(preset = compact, export = malloc)]
struct Preload;
