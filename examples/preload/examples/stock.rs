//! `LD_PRELOAD=target/release/examples/libstock.so some-program`: the preset `stock` under any program.

#[allocator_core::derive_allocator(preset = stock, export = malloc)]
struct Preload;
