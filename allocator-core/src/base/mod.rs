//! What everything above stands on: arithmetic, atomics, a lock, bitmaps.
//! Knows nothing of blocks, pages or the OS.

pub(crate) mod align;
pub(crate) mod bitmap;
pub(crate) mod class_set;
#[cfg(allocator_count_atomics)]
pub(crate) mod counted;
pub(crate) mod counter;
pub(crate) mod counts;
pub(crate) mod deadline;
pub(crate) mod lock;
#[cfg(loom)]
pub(crate) mod modelled;
pub(crate) mod sync;
pub(crate) mod text;
pub(crate) mod wait;
