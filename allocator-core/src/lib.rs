//! Allocators cut to a program at compile time.
//!
//! ```
//! use allocator_core::derive_allocator;
//!
//! /// Allocator of the request path.
//! #[derive_allocator(preset = balanced, purge = after(10ms))]
//! pub struct RequestAlloc;
//!
//! #[global_allocator]
//! static GLOBAL: RequestAlloc = RequestAlloc;
//! ```
//!
//! The layers, each importing only from those above it in this list: `base`
//! (arithmetic, atomics), `os` (the face of the OS), `config` (the choices),
//! `mem` (blocks, pages, the arena), `heap` (one thread's pages of one type),
//! `global` (the verbs that generated types call), `c_face` (the same for C).

// Model checking builds only what the models need.
#![cfg_attr(loom, allow(dead_code))]

mod base;
mod c_face;
pub mod config;
mod global;
mod heap;
mod mem;
#[cfg(not(feature = "fault-injection"))]
mod os;
#[cfg(feature = "fault-injection")]
pub mod os;

pub use allocator_macros::derive_allocator;
pub use {
    config::{Config, Corruption, Fault},
    global::profile::{Profile, ProfileRow},
    global::stats::{ClassStats, Stats},
};

/// What the macro's output refers to; not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::base::counts::Counts;
    pub use crate::base::sync::{counts, restart_counts};
    pub use crate::config::choices::Choices;
    pub use crate::config::size_class::{
        direct_len, direct_table, malloc_len, malloc_table, start_table,
    };
    pub use crate::config::*;
    pub use crate::global::profile::{
        PROFILE_FOLDER, Profile, TRACE_FOLDER, profile, profile_of_file, traced_steps,
    };
    #[cfg(not(allocator_track))]
    pub use crate::global::record::{allocate, allocate_zeroed, deallocate, reallocate};
    pub use crate::global::stats::{Stats, stats};
    #[cfg(allocator_track)]
    pub use crate::global::track::{allocate, allocate_zeroed, deallocate, reallocate};
    pub use crate::global::verbs::{check_invariants, purge, usable_size};
    pub use crate::heap::declared::{Declared, Exported, InitialExecSlot, InlineSlot, PointerSlot};
    pub use crate::heap::shared::Shared;
    pub use crate::mem::tape::{TracedAct, TracedStep};

    /// The functions behind the symbols of `export = malloc`.
    pub mod c_face {
        pub use crate::c_face::cpp::*;
        pub use crate::c_face::give::{calloc, malloc};
        pub use crate::c_face::standard::*;
        pub use crate::c_face::take::{free, realloc, usable_size};
    }
}
