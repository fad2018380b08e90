//! The core as a type with C's face sees it that has no names in C: `crate = crate::nameless` beside `export = malloc`.
//! So the process keeps its `malloc`, which is the sanitizer's.

pub use allocator_core::*;

/// Exports nothing.
macro_rules! export_malloc {
    ($type:ident) => {};
}
pub(crate) use export_malloc as __export_malloc;
