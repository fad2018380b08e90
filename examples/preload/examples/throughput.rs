//! `LD_PRELOAD=target/release/examples/libthroughput.so some-program`: the preset `throughput` under any program.

#[allocator_core::derive_allocator(preset = throughput, export = malloc)]
struct Preload;
