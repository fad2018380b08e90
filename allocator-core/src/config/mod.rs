//! What can be chosen: [`Config`], a plain value with one field per option of
//! `#[derive_allocator(...)]`.
//!
//! The macro writes one `Config` constant per declared type; every branch of
//! the allocator on one of its fields is therefore decided at compile time.
//! Numbers that follow from the choices are in `geometry`, the step from a
//! size to its class in `size_class`, the printed form in `describe`.

pub(crate) mod choices;
mod corruption;
pub(crate) mod describe;
pub(crate) mod geometry;
mod hardening;
pub(crate) mod size_class;

pub use corruption::{Corruption, Fault};
pub use describe::SizeClass;
pub use hardening::{Hardening, Hook, OnCorruption};

/// The choices that one declared allocator type is made of.
///
/// Its `Display` form is the attribute that declares the same allocator again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Name of the declared type.
    pub name: &'static str,
    /// How the size classes were asked for.
    pub size_classes: SizeClasses,
    /// The size classes, in bytes, ascending.
    pub class_bytes: &'static [u32],
    /// How many blocks one extension of a small-block page makes available.
    pub small_extend: Extend,
    /// How long an all-free last page of its class is kept.
    pub retire_cycles: RetireCycles,
    /// What the common path does.
    pub fast_path: FastPath,
    /// Bytes in a small-block page; a power of two.
    pub page_bytes: u32,
    /// When memory that is all free goes back to the OS.
    pub purge: Purge,
    /// Huge-page advice for this type's pages.
    pub thp: Thp,
    /// What misuse is looked for.
    pub hardening: Hardening,
    /// How the process ends when misuse is found.
    pub on_corruption: OnCorruption,
    /// What is counted.
    pub stats: StatsLevel,
    /// Most bytes that this type takes from the arena and the OS, if limited.
    pub limit_bytes: Option<usize>,
    /// Where a thread's heap lives.
    pub tls: Tls,
    /// Which symbols the linked file has of it.
    pub export: Export,
}

/// How size classes were asked for (`size_classes = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeClasses {
    /// `standard`: the classes fitted to real programs.
    Standard,
    /// `geometric(quantum = …, per_doubling = …, max = …)`.
    Geometric {
        /// Smallest class and smallest step between two, in bytes.
        quantum: u32,
        /// Classes between a power of two and the next.
        per_doubling: u32,
        /// Largest class, in bytes.
        max: u32,
    },
    /// A list, written out or read from a file.
    List,
}

/// How many blocks one extension of a small-block page makes available (`small_extend = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extend {
    /// As many blocks as fit into this many bytes, at least one.
    Batch(u32),
    /// Half of the blocks not yet made available, at least 4 KiB of them.
    HalfRemaining,
    /// All of the page at once.
    All,
}

/// Slow-path cycles that an all-free last page of its class is kept (`retire_cycles(…)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetireCycles {
    /// For small-block pages.
    pub small: u32,
    /// For the larger pages of blocks over an eighth of a small-block page.
    pub large: u32,
}

/// What the common path does (`fast_path(…)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FastPath {
    /// Collecting a page takes what its owner freed first and does not touch
    /// the remote list unless somebody else freed into the page.
    pub local_first: bool,
    /// A page that still has a free list is handed out from without collecting.
    pub skip_collect: bool,
    /// Blocks per class cached per thread, whatever page they are from; 0 is off.
    pub cache: u32,
    /// Largest size, in bytes, whose class is looked up in one load.
    pub direct_max: u32,
    /// Whether the common path is inlined into its callers.
    pub inline: Inline,
}

/// Whether the common path is inlined into its callers (`inline = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline {
    /// Inlined; the class of a constant size folds away.
    Hot,
    /// One call per operation; the smallest code.
    Never,
}

/// When memory that is all free goes back to the OS (`purge = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Never, unless `purge()` is called.
    Never,
    /// As soon as it is free.
    Now,
    /// At the first operation off the fast path that finds it this old, in milliseconds.
    After(u32),
}

/// Huge pages of the hardware (`thp = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thp {
    /// Where they pay: for what a process of over 8 MiB (32 MiB behind the face of C) uses all over.
    Default,
    /// Nowhere.
    Never,
    /// For all of this type's memory.
    Always,
}

/// What is counted (`stats = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatsLevel {
    /// Nothing.
    Off,
    /// Operations, and what each mechanism did.
    Counters,
    /// `Counters`, allocations and frees by size class, and requests by size and alignment
    /// ([`Profile`](crate::Profile)).
    Histogram,
}

/// Where a thread's heap lives (`tls = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// The blocks in hand are themselves thread-local: fewest instructions.
    Inline,
    /// The thread-local slot is one pointer: for shared objects, where static TLS is scarce.
    Pointer,
    /// As `Pointer`, and reached without a call: for a shared object that is there when the program
    /// starts.
    InitialExec,
}

/// Which symbols the linked file has of a type (`export = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// None.
    Off,
    /// `malloc` and all that goes with it in C and C++.
    Malloc,
}
