//! The presets: where the options start from that the user does not write.

use crate::words::{HardeningWord, PresetWord};

/// A choice for every option that a preset decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preset {
    /// What it is for, for the documentation.
    pub doc: &'static str,
    /// Whether `size_classes` is `standard`, not a series.
    pub standard_classes: bool,
    /// `quantum` of a series.
    pub quantum: u64,
    /// `per_doubling` of a series.
    pub per_doubling: u64,
    /// `max` of a series.
    pub max: u64,
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
    /// `fast_path(cache = …)`; 0 is off.
    pub cache: u64,
    /// `fast_path(direct_max = …)`.
    pub direct_max: u64,
    /// `page`.
    pub page: u64,
    /// `purge = after(…)`, in milliseconds.
    pub purge_after: u64,
    /// `hardening`.
    pub hardening: HardeningWord,
}

/// The mechanisms of `hardening`: which are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hardening {
    /// `links`.
    pub links: bool,
    /// `pages`.
    pub pages: bool,
    /// `headers`.
    pub headers: bool,
    /// `ends`.
    pub ends: bool,
    /// `guards`.
    pub guards: bool,
    /// `isolate`.
    pub isolate: bool,
    /// `canaries`.
    pub canaries: bool,
    /// `zero`.
    pub zero: bool,
    /// `shuffle`.
    pub shuffle: bool,
    /// `quarantine`, in bytes; 0 is off.
    pub quarantine: u64,
    /// `sample`; 0 is off.
    pub sample: u64,
}

/// How a preset extends a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extend {
    /// `batch(…)`, in bytes.
    Batch(u64),
    /// `half_remaining`.
    HalfRemaining,
    /// `all`.
    All,
}

impl PresetWord {
    /// The choices that the word stands for.
    pub(crate) const fn choices(self) -> Preset {
        match self {
            PresetWord::Balanced => BALANCED,
            PresetWord::Stock => STOCK,
            PresetWord::Seed => SEED,
            PresetWord::Throughput => THROUGHPUT,
            PresetWord::Compact => COMPACT,
            PresetWord::Hardened => HARDENED,
        }
    }
}

impl HardeningWord {
    /// The mechanisms that the level bundles.
    pub(crate) const fn mechanisms(self) -> Hardening {
        match self {
            HardeningWord::Off => UNHARDENED,
            HardeningWord::Checked => CHECKED,
            HardeningWord::Guarded => GUARDED,
        }
    }
}

const UNHARDENED: Hardening = Hardening {
    links: false,
    pages: false,
    headers: false,
    ends: false,
    guards: false,
    isolate: false,
    canaries: false,
    zero: false,
    shuffle: false,
    quarantine: 0,
    sample: 0,
};

const CHECKED: Hardening = Hardening {
    links: true,
    pages: true,
    headers: true,
    ends: true,
    ..UNHARDENED
};

const GUARDED: Hardening = Hardening {
    guards: true,
    isolate: true,
    canaries: true,
    zero: true,
    shuffle: true,
    quarantine: 32 << 10,
    ..CHECKED
};

const BALANCED: Preset = Preset {
    doc: "little time and little memory; the default",
    standard_classes: true,
    quantum: 8,
    per_doubling: 4,
    max: 32 << 10,
    small_extend: Extend::Batch(16 << 10),
    retire_small: 48,
    retire_large: 16,
    local_first: true,
    skip_collect: true,
    cache: 64,
    direct_max: 8 << 10,
    page: 64 << 10,
    purge_after: 10,
    hardening: HardeningWord::Off,
};

const STOCK: Preset = Preset {
    doc: "mimalloc's published constants: extend by 4 KiB, retire after 16 cycles, always collect, \
          classes of 16 bytes and up, no cache",
    standard_classes: false,
    quantum: 16,
    small_extend: Extend::Batch(4 << 10),
    retire_small: 16,
    local_first: false,
    skip_collect: false,
    cache: 0,
    ..BALANCED
};

const SEED: Preset = Preset {
    doc: "`stock` with four optimisations: half of the remaining blocks per extension, local frees \
          before remote ones, small pages retired after 48 cycles, no collecting without need",
    small_extend: Extend::HalfRemaining,
    retire_small: 48,
    local_first: true,
    skip_collect: true,
    ..STOCK
};

const THROUGHPUT: Preset = Preset {
    doc: "time before memory: larger caches, whole pages at once, memory kept for a second",
    small_extend: Extend::All,
    cache: 256,
    purge_after: 1000,
    ..BALANCED
};

const COMPACT: Preset = Preset {
    doc: "memory before time: small caches, few blocks at once, memory given back within 5 ms",
    per_doubling: 8,
    small_extend: Extend::Batch(4 << 10),
    retire_small: 4,
    retire_large: 2,
    cache: 16,
    purge_after: 5,
    ..BALANCED
};

const HARDENED: Preset = Preset {
    doc: "`balanced` with `hardening = guarded`: misuse ends the process, at some cost",
    hardening: HardeningWord::Guarded,
    ..BALANCED
};
