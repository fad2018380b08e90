//! The options as written: each value understood by itself, none compared with
//! another, what is not written left open.

use proc_macro2::TokenStream;
use syn::{LitStr, Path};

use crate::number::Amount;
use crate::words::{
    ExportWord, HardeningWord, InlineWord, PresetWord, StatsWord, ThpWord, TlsWord,
};

/// One option as written.
#[derive(Clone, Default)]
pub(crate) enum Field<T> {
    /// Not written: the preset decides.
    #[default]
    Open,
    /// Written, and a mistake was reported: whatever depends on it is not judged.
    Wrong,
    /// Written and understood.
    Is(Written<T>),
}

/// A value and the tokens to underline when it clashes with another.
#[derive(Clone)]
pub(crate) struct Written<T> {
    /// What it means.
    pub value: T,
    /// What the user wrote.
    pub tokens: TokenStream,
}

/// `size_classes = …`
pub(crate) enum Sizes {
    /// `standard`.
    Standard,
    /// `geometric(…)`.
    Geometric {
        quantum: Field<u64>,
        per_doubling: Field<u64>,
        max: Field<u64>,
    },
    /// `[…]`; an item with a mistake is `None`.
    List(Vec<Option<Written<Amount>>>),
    /// `file("…")`.
    File(LitStr),
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

/// `purge = …`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purge {
    /// `never`.
    Never,
    /// `now`.
    Now,
    /// `after(…)`, in milliseconds.
    After(u64),
}

/// `on_corruption = …`
#[derive(Clone)]
pub(crate) enum OnCorruption {
    /// `abort`.
    Abort,
    /// `trap`.
    Trap,
    /// `hook(…)`.
    Hook(Path),
}

/// `hardening = …`, `hardening(…)`
#[derive(Default)]
pub(crate) struct Hardening {
    pub level: Field<HardeningWord>,
    pub links: Field<bool>,
    pub pages: Field<bool>,
    pub headers: Field<bool>,
    pub ends: Field<bool>,
    pub guards: Field<bool>,
    pub isolate: Field<bool>,
    pub canaries: Field<bool>,
    pub zero: Field<bool>,
    pub shuffle: Field<bool>,
    pub quarantine: Field<u64>,
    pub sample: Field<u64>,
}

/// Everything that the user wrote.
#[derive(Default)]
pub(crate) struct Options {
    pub preset: Field<PresetWord>,
    pub size_classes: Field<Sizes>,
    pub small_extend: Field<Extend>,
    pub retire_small: Field<u64>,
    pub retire_large: Field<u64>,
    pub local_first: Field<bool>,
    pub skip_collect: Field<bool>,
    pub cache: Field<u64>,
    pub direct_max: Field<u64>,
    pub inline: Field<InlineWord>,
    pub page: Field<u64>,
    pub purge: Field<Purge>,
    pub thp: Field<ThpWord>,
    pub hardening: Hardening,
    pub on_corruption: Field<OnCorruption>,
    pub stats: Field<StatsWord>,
    pub limit: Field<Amount>,
    pub tls: Field<TlsWord>,
    pub export: Field<ExportWord>,
    pub core: Field<Path>,
}

impl<T> Field<T> {
    /// What was read, or a mistake that was reported.
    pub(crate) fn from_read(read: Option<T>, tokens: impl quote::ToTokens) -> Self {
        match read {
            Some(value) => Field::Is(Written {
                value,
                tokens: tokens.into_token_stream(),
            }),
            None => Field::Wrong,
        }
    }

    /// The value, if it is written and understood.
    pub(crate) fn written(&self) -> Option<&Written<T>> {
        match self {
            Field::Is(written) => Some(written),
            Field::Open | Field::Wrong => None,
        }
    }
}

impl<T: Clone> Field<T> {
    /// The value, or the preset's; `None` when a mistake was reported.
    pub(crate) fn or(&self, preset: T) -> Option<T> {
        match self {
            Field::Open => Some(preset),
            Field::Wrong => None,
            Field::Is(written) => Some(written.value.clone()),
        }
    }
}
