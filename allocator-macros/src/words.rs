//! The words that are values of options.

/// Values that are words.
pub(crate) trait Words: Copy + 'static {
    /// All of them.
    const WORDS: &'static [Word<Self>];
}

/// One word, with its arguments if it takes any.
pub(crate) struct Word<T: 'static> {
    /// The word.
    pub name: &'static str,
    /// Example arguments; empty when it takes none.
    pub args: &'static str,
    /// What it means.
    pub value: T,
}

/// Defines a type whose values are words, with its table.
macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal $(($args:literal))?,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $type { $($variant,)* }

        impl Words for $type {
            const WORDS: &'static [Word<Self>] = &[
                $(Word { name: $name, args: concat!($($args)?), value: $type::$variant },)*
            ];
        }
    };
}

words! {
    /// `preset = …`
    PresetWord {
        Balanced = "balanced",
        Stock = "stock",
        Seed = "seed",
        Throughput = "throughput",
        Compact = "compact",
        Hardened = "hardened",
    }
}
words! {
    /// `size_classes = …`
    SizesWord {
        Standard = "standard",
        Geometric = "geometric" ("quantum = 8, per_doubling = 4, max = 32KiB"),
        File = "file" ("\"app.classes\""),
    }
}
words! {
    /// `small_extend = …`
    ExtendWord { Batch = "batch" ("16KiB"), HalfRemaining = "half_remaining", All = "all", }
}
words! {
    /// `purge = …`
    PurgeWord { Never = "never", Now = "now", After = "after" ("10ms"), }
}
words! {
    /// `thp = …`
    ThpWord { Default = "default", Never = "never", Always = "always", }
}
words! {
    /// `hardening = …`, `hardening(level = …)`
    HardeningWord { Off = "off", Checked = "checked", Guarded = "guarded", }
}
words! {
    /// `on_corruption = …`
    CorruptionWord { Abort = "abort", Trap = "trap", Hook = "hook" ("crate::on_corruption"), }
}
words! {
    /// `stats = …`
    StatsWord { Off = "off", Counters = "counters", Histogram = "histogram", }
}
words! {
    /// `tls = …`
    TlsWord { Inline = "inline", Pointer = "pointer", InitialExec = "initial_exec", }
}
words! {
    /// `export = …`
    ExportWord { Off = "off", Malloc = "malloc", }
}
words! {
    /// `inline = …`
    InlineWord { Hot = "hot", Never = "never", }
}
words! {
    /// `cache = off`, `quarantine = off`, `sample = off`
    OffWord { Off = "off", }
}
words! {
    /// `local_first = …`, `links = …`
    Switch { On = "on", Off = "off", }
}
