//! The specification of one allocator: every option decided, only legal states.
//! What depends on a constant expression is checked by the compiler instead.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use syn::Path;

use crate::number::Amount;
use crate::options::{LARGE_FACTOR, SMALL_BLOCKS_MIN};
use crate::presets::Hardening;
use crate::words::{ExportWord, InlineWord, StatsWord, ThpWord, TlsWord};
use crate::written::{OnCorruption, Purge, Written};

/// One allocator.
pub(crate) struct Spec {
    /// How the size classes were asked for.
    pub sizes: Sizes,
    /// The size classes, ascending, at least one.
    pub classes: Vec<Written<Amount>>,
    /// `small_extend`.
    pub small_extend: Extend,
    /// `retire_cycles(small = …)`.
    pub retire_small: u64,
    /// `retire_cycles(large = …)`.
    pub retire_large: u64,
    /// `fast_path(local_first)`.
    pub local_first: bool,
    /// `fast_path(skip_collect)`.
    pub skip_collect: bool,
    /// `fast_path(cache = …)`; bounded by the smallest class.
    pub cache: Bounded,
    /// `fast_path(direct_max = …)`; bounded by the largest class.
    pub direct_max: Bounded,
    /// `fast_path(inline = …)`.
    pub inline: InlineWord,
    /// `page`, in bytes.
    pub page: u64,
    /// `purge`.
    pub purge: Purge,
    /// `thp`.
    pub thp: ThpWord,
    /// `hardening`.
    pub hardening: Hardening,
    /// `on_corruption`.
    pub on_corruption: OnCorruption,
    /// `stats`.
    pub stats: StatsWord,
    /// `limit`, in bytes.
    pub limit: Option<Written<Amount>>,
    /// `tls`.
    pub tls: TlsWord,
    /// `export`.
    pub export: ExportWord,
    /// Where `allocator_core` is.
    pub core: Path,
}

/// How the size classes were asked for.
pub(crate) enum Sizes {
    /// `standard`.
    Standard,
    /// `geometric(…)`.
    Geometric {
        quantum: u64,
        per_doubling: u64,
        max: u64,
    },
    /// `[…]`, or `file("…")` with the file for the compiler to watch.
    List { file: Option<PathBuf> },
}

/// `small_extend = …`
pub(crate) enum Extend {
    /// `batch(…)`, in bytes.
    Batch(Written<Amount>),
    /// `half_remaining`.
    HalfRemaining,
    /// `all`.
    All,
}

/// A number whose bound follows from a size class.
pub(crate) struct Bounded {
    /// The number; within the bound if the class is known here.
    pub value: u64,
    /// What the user wrote: if it is over the bound of a class that only the
    /// compiler knows, that is an error. A preset's number gives way instead.
    pub tokens: Option<TokenStream>,
}

/// Most blocks of a class that a cache may hold: as many as fill a page.
pub(crate) fn cache_bound(class: u64, page: u64) -> u64 {
    page / class
}

/// Bytes of the pages that blocks of this size come from.
pub(crate) fn page_of(class: u64, page: u64) -> u64 {
    if class * SMALL_BLOCKS_MIN <= page {
        page
    } else {
        page * LARGE_FACTOR
    }
}
