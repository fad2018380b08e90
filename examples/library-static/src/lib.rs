//! A library crate that holds the allocator, for the binary beside it.
//!
//! The binary is compiled without knowing which allocator it will get, so the
//! compiler removes allocations that nothing needs; the linker (`lto = "fat"`
//! or `"thin"`) then inlines the fast path into those that are left.

use allocator_core::derive_allocator;

/// Serves every allocation of the binaries that use this crate. The counters are for the
/// binary's output; without them the fast path is shorter.
#[derive_allocator(stats = counters)]
pub struct Alloc;

#[global_allocator]
static GLOBAL: Alloc = Alloc;
