//! Memory as the heaps see it: blocks, the pages they lie in, and the arena
//! that all types of the process take pages from.
//!
//! ```text
//! chunk (32 MiB, aligned)
//! ┌──────────────────────┬─────────┬─────────┬───────────────┬────
//! │ slice 0: header,     │ slice 1 │ slice 2 │ slices 8..16  │ …
//! │ Page of each slice   │ a page  │ a large │ a page of     │
//! │ (128 B each)         │ of 48 B │ block   │ 12 KiB blocks │
//! └──────────────────────┴─────────┴─────────┴───────────────┴────
//! ```

pub(crate) mod arena;
pub(crate) mod block;
pub(crate) mod book;
pub(crate) mod chunk;
pub(crate) mod cleared;
pub(crate) mod demand;
pub(crate) mod due;
pub(crate) mod keys;
pub(crate) mod mailbox;
pub(crate) mod page;
pub(crate) mod pagemap;
pub(crate) mod places;
mod purge;
pub(crate) mod random;
pub(crate) mod regions;
pub(crate) mod report;
pub(crate) mod samples;
pub(crate) mod tally;
pub(crate) mod tape;
pub(crate) mod tenant;
pub(crate) mod thread_free;
pub(crate) mod written;
pub(crate) mod zero_sized;
