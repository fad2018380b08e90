//! `ALLOCATOR_PROFILE=folder LD_PRELOAD=target/release/examples/librecording.so some-program`: the default,
//! which records what the program asks for; `allocator-lab record` does all of it.

#[allocator_core::derive_allocator(stats = histogram, export = malloc)]
struct Preload;
