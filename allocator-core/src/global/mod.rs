//! What the macro's output calls: the verbs of an allocator, the start and end
//! of threads, fork, and the figures.

pub(crate) mod deallocate;
mod fork;
#[cfg(all(test, loom))]
mod models;
pub(crate) mod profile;
pub(crate) mod record;
pub(crate) mod stats;
mod thread;
#[cfg(allocator_track)]
pub(crate) mod track;
pub(crate) mod verbs;
