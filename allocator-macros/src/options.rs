//! The table of options: keys, forms, bounds and meanings. Reading, error
//! texts, did-you-mean and the documentation all come from here.

mod hardening;

pub(crate) use hardening::{HARDENING, HardeningPart};

use crate::number::Unit;
use crate::spelling::listed;
use crate::words::{
    CorruptionWord, ExportWord, ExtendWord, HardeningWord, InlineWord, OffWord, PresetWord,
    PurgeWord, SizesWord, StatsWord, Switch, ThpWord, TlsWord, Word, Words,
};

/// One option, or one part of a group.
pub(crate) struct Row<K: 'static> {
    /// Which one.
    pub key: K,
    /// The word in front.
    pub name: &'static str,
    /// How it may look; `…` stands for parts that have rows of their own.
    pub forms: fn() -> Vec<Form>,
    /// The number that it may be, if it may be one.
    pub number: Option<Number>,
    /// What it means, for the documentation.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for options.md, which a test keeps equal")
    )]
    pub doc: &'static str,
}

/// One way to write a value.
pub(crate) struct Form {
    /// The word in front, if it has one.
    pub word: Option<&'static str>,
    /// The form as an example.
    pub example: String,
}

/// Which numbers are allowed.
pub(crate) struct Number {
    /// What it counts.
    pub unit: Unit,
    /// Smallest allowed.
    pub min: u64,
    /// Largest allowed.
    pub max: u64,
    /// What else must hold.
    pub rule: Rule,
    /// Whether a constant expression will do; its checks run in the compiler.
    pub constant: bool,
}

/// What else must hold for a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing.
    Any,
    /// It is a power of two.
    PowerOfTwo,
    /// It is a multiple of this.
    MultipleOf(u64),
    /// It is one of these.
    OneOf(&'static [u64]),
}

/// The options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Preset,
    SizeClasses,
    SmallExtend,
    RetireCycles,
    FastPath,
    Page,
    Purge,
    Thp,
    Hardening,
    OnCorruption,
    Stats,
    Limit,
    Tls,
    Export,
    Crate,
}

/// The parts of `geometric(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeometricPart {
    Quantum,
    PerDoubling,
    Max,
}

/// The parts of `retire_cycles(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetirePart {
    Small,
    Large,
}

/// The parts of `fast_path(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FastPathPart {
    LocalFirst,
    SkipCollect,
    Cache,
    DirectMax,
    Inline,
}

/// Every class is a multiple of this: blocks hold a link and keep it aligned.
pub(crate) const CLASS_STEP: u64 = 8;

/// Smallest class of a type whose free blocks are signed: a link and its signature.
pub(crate) const SIGNED_MIN: u64 = 16;

/// What `canaries` adds to each block.
pub(crate) const CANARY_BYTES: u64 = 8;

/// C aligns every block to this.
pub(crate) const MALLOC_ALIGN: u64 = 16;

/// Most classes: the index of a class is one byte.
pub(crate) const MAX_CLASSES: usize = 256;

/// A class of which at least so many blocks fit `page` has pages of that size; as in the core's `geometry`.
pub(crate) const SMALL_BLOCKS_MIN: u64 = 8;

/// The pages of the other classes are so many times larger; as there.
pub(crate) const LARGE_FACTOR: u64 = 4;

/// Bytes at the end of each page that are a guard, with `hardening(guards)`; as there.
pub(crate) const GUARD_BYTES: u64 = 4096;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The options, in the order of the documentation.
pub(crate) const OPTIONS: &[Row<Key>] = &[
    Row {
        key: Key::Preset,
        name: "preset",
        forms: words::<PresetWord>,
        number: None,
        doc: "where the other options start from",
    },
    Row {
        key: Key::SizeClasses,
        name: "size_classes",
        forms: || with(words::<SizesWord>(), 2, "[16, 24, 32, 48]"),
        number: Some(CLASS),
        doc: "the sizes that blocks come in: the standard 52, which were fitted to what real programs ask for, \
              a series, a list (multiples of 8, ascending, none \
              over twice the one before, at most 256; constant expressions will do), or a file \
              of such a list next to `Cargo.toml`",
    },
    Row {
        key: Key::SmallExtend,
        name: "small_extend",
        forms: words::<ExtendWord>,
        number: Some(BATCH),
        doc: "how many blocks one extension of a small-block page makes available: as many as \
              fit into some bytes, half of those that remain, or all",
    },
    Row {
        key: Key::RetireCycles,
        name: "retire_cycles",
        forms: || with(with(Vec::new(), 0, "48"), 1, "(small = 48, large = 16)"),
        number: Some(CYCLES),
        doc: "slow-path cycles that an all-free last page of its class is kept, if `purge` does not \
              take it before",
    },
    Row {
        key: Key::FastPath,
        name: "fast_path",
        forms: || with(Vec::new(), 0, "(local_first, skip_collect, cache = 64)"),
        number: None,
        doc: "what the common path does; a part that is not named is as in the preset",
    },
    Row {
        key: Key::Page,
        name: "page",
        forms: || with(Vec::new(), 0, "64KiB"),
        number: Some(PAGE),
        doc: "bytes in a small-block page; blocks over an eighth of it live in pages of four \
              times the bytes",
    },
    Row {
        key: Key::Purge,
        name: "purge",
        forms: words::<PurgeWord>,
        number: Some(PURGE_AFTER),
        doc: "when memory that is all free goes back to the OS",
    },
    Row {
        key: Key::Thp,
        name: "thp",
        forms: words::<ThpWord>,
        number: None,
        doc: "huge pages of the hardware: where they pay, nowhere, or for all memory of this type",
    },
    Row {
        key: Key::Hardening,
        name: "hardening",
        forms: || with(words::<HardeningWord>(), 3, "(level = checked, zero)"),
        number: None,
        doc: "what misuse is looked for: a level, which is a bundle of mechanisms, or a level with \
              some of them on or off; a part that is not named is as in the level, and without \
              that as in the preset",
    },
    Row {
        key: Key::OnCorruption,
        name: "on_corruption",
        forms: words::<CorruptionWord>,
        number: None,
        doc: "how the process ends when `hardening` finds misuse, after one line on standard \
              error: `abort`, a trapping instruction, or an abort after a function of type \
              `fn(&allocator_core::Corruption)`, which must not allocate by this type",
    },
    Row {
        key: Key::Stats,
        name: "stats",
        forms: words::<StatsWord>,
        number: None,
        doc: "what is counted: nothing, operations, or requests by size and alignment as well, for \
              `A::profile()`",
    },
    Row {
        key: Key::Limit,
        name: "limit",
        forms: || with(words::<OffWord>(), 0, "512MiB"),
        number: Some(LIMIT),
        doc: "budget of this type, or no limit; over it, allocation returns null",
    },
    Row {
        key: Key::Tls,
        name: "tls",
        forms: words::<TlsWord>,
        number: None,
        doc: "where a thread's heap lives: itself thread-local, or behind a thread-local pointer \
              (for shared objects, where static TLS is scarce), or behind one that is reached \
              without a call (for `export = malloc`, where it is the default; not for what \
              `dlopen` loads)",
    },
    Row {
        key: Key::Export,
        name: "export",
        forms: words::<ExportWord>,
        number: None,
        doc: "which symbols the linked file has: none of this type, or `malloc` and all that goes \
              with it in C and C++, so that the type serves the whole process",
    },
    Row {
        key: Key::Crate,
        name: "crate",
        forms: || with(Vec::new(), 0, "::allocator_core"),
        number: None,
        doc: "where `allocator_core` is, for crates that re-export it",
    },
];

/// The parts of `geometric(…)`.
pub(crate) const GEOMETRIC: &[Row<GeometricPart>] = &[
    Row {
        key: GeometricPart::Quantum,
        name: "quantum",
        forms: || with(Vec::new(), 0, "8"),
        number: Some(QUANTUM),
        doc: "smallest class and smallest step, in bytes",
    },
    Row {
        key: GeometricPart::PerDoubling,
        name: "per_doubling",
        forms: || with(Vec::new(), 0, "4"),
        number: Some(PER_DOUBLING),
        doc: "classes between a power of two and the next",
    },
    Row {
        key: GeometricPart::Max,
        name: "max",
        forms: || with(Vec::new(), 0, "32KiB"),
        number: Some(SERIES_MAX),
        doc: "largest class, at most the page; one of the sizes that the series reaches",
    },
];

/// The parts of `retire_cycles(…)`.
pub(crate) const RETIRE_CYCLES: &[Row<RetirePart>] = &[
    Row {
        key: RetirePart::Small,
        name: "small",
        forms: || with(Vec::new(), 0, "48"),
        number: Some(CYCLES),
        doc: "for small-block pages",
    },
    Row {
        key: RetirePart::Large,
        name: "large",
        forms: || with(Vec::new(), 0, "16"),
        number: Some(CYCLES),
        doc: "for the pages of larger blocks",
    },
];

/// The parts of `fast_path(…)`.
pub(crate) const FAST_PATH: &[Row<FastPathPart>] = &[
    Row {
        key: FastPathPart::LocalFirst,
        name: "local_first",
        forms: words::<Switch>,
        number: None,
        doc: "collecting a page takes what its owner freed first and leaves the atomic list of \
              remote frees alone while it is empty; alone it means `on`",
    },
    Row {
        key: FastPathPart::SkipCollect,
        name: "skip_collect",
        forms: words::<Switch>,
        number: None,
        doc: "a page that still has free blocks is handed out from without collecting; alone it \
              means `on`",
    },
    Row {
        key: FastPathPart::Cache,
        name: "cache",
        forms: || with(words::<OffWord>(), 0, "64"),
        number: Some(CACHE),
        doc: "blocks per class cached per thread; as many of the smallest class must fit a page",
    },
    Row {
        key: FastPathPart::DirectMax,
        name: "direct_max",
        forms: || with(Vec::new(), 0, "8KiB"),
        number: Some(DIRECT_MAX),
        doc: "largest size whose class is looked up in one load; at most the largest class",
    },
    Row {
        key: FastPathPart::Inline,
        name: "inline",
        forms: words::<InlineWord>,
        number: None,
        doc: "whether the common path is inlined into its callers",
    },
];

pub(crate) const CLASS: Number = Number {
    unit: Unit::Bytes,
    min: CLASS_STEP,
    max: PAGE.max,
    rule: Rule::MultipleOf(CLASS_STEP),
    constant: true,
};
pub(crate) const BATCH: Number = Number {
    unit: Unit::Bytes,
    min: 64,
    max: u64::MAX,
    rule: Rule::Any,
    constant: true,
};
pub(crate) const PAGE: Number = Number {
    unit: Unit::Bytes,
    min: 64 * KIB,
    max: 512 * KIB,
    rule: Rule::PowerOfTwo,
    constant: false,
};
pub(crate) const LIMIT: Number = Number {
    unit: Unit::Bytes,
    min: MIB,
    max: u64::MAX,
    rule: Rule::Any,
    constant: true,
};
pub(crate) const DIRECT_MAX: Number = Number {
    unit: Unit::Bytes,
    min: CLASS_STEP,
    max: 64 * KIB,
    rule: Rule::MultipleOf(CLASS_STEP),
    constant: false,
};
const CYCLES: Number = Number {
    unit: Unit::Of("cycles"),
    min: 0,
    max: 65535,
    rule: Rule::Any,
    constant: false,
};
const CACHE: Number = Number {
    unit: Unit::Of("blocks"),
    min: 0,
    max: 1024,
    rule: Rule::Any,
    constant: false,
};
const PURGE_AFTER: Number = Number {
    unit: Unit::Millis,
    min: 1,
    max: 3_600_000,
    rule: Rule::Any,
    constant: false,
};
const QUANTUM: Number = Number {
    unit: Unit::Bytes,
    min: 8,
    max: 16,
    rule: Rule::OneOf(&[8, 16]),
    constant: false,
};
const PER_DOUBLING: Number = Number {
    unit: Unit::Of("classes"),
    min: 1,
    max: 8,
    rule: Rule::OneOf(&[1, 2, 4, 8]),
    constant: false,
};
const SERIES_MAX: Number = Number {
    unit: Unit::Bytes,
    min: CLASS_STEP,
    max: PAGE.max,
    rule: Rule::Any,
    constant: false,
};

impl<K: Copy> Row<K> {
    /// What may be written: `` `never`, `now` or `after(10ms)` ``.
    pub(crate) fn allowed(&self) -> String {
        let shown = (self.forms)().into_iter().map(|form| match &self.number {
            Some(number) if form.is_number() => number.allowed(),
            _ => format!("`{}`", form.example),
        });
        listed(shown, "or")
    }

    /// The option with its first form: `page = 64KiB`, `fast_path(local_first, …)`.
    pub(crate) fn example(&self) -> String {
        match (self.forms)().first() {
            Some(form) if form.example.starts_with('(') => format!("{}{}", self.name, form.example),
            Some(form) => format!("{} = {}", self.name, form.example),
            None => self.name.to_owned(),
        }
    }
}

impl Form {
    /// Whether it stands for any number, not for itself.
    fn is_number(&self) -> bool {
        self.word.is_none()
            && self
                .example
                .starts_with(|first: char| first.is_ascii_digit())
    }
}

impl Number {
    /// Whether the number is allowed.
    pub(crate) fn allows(&self, value: u64) -> bool {
        let rule = match self.rule {
            Rule::Any => true,
            Rule::PowerOfTwo => value.is_power_of_two(),
            Rule::MultipleOf(step) => value.is_multiple_of(step),
            Rule::OneOf(values) => values.contains(&value),
        };
        rule && (self.min..=self.max).contains(&value)
    }

    /// What is allowed: `a power of two from 64KiB to 512KiB`.
    pub(crate) fn allowed(&self) -> String {
        let shown = |value| self.unit.show(value);
        let kind = match self.rule {
            Rule::Any => "",
            Rule::PowerOfTwo => "a power of two ",
            Rule::MultipleOf(step) => &format!("a multiple of {step} "),
            Rule::OneOf(values) => {
                return listed(values.iter().map(|value| shown(*value)), "or");
            }
        };
        match self.max {
            u64::MAX => format!("{kind}at least {}", shown(self.min)),
            max => format!("{kind}from {} to {}", shown(self.min), shown(max)),
        }
    }
}

/// The options whose value, or the value of whose part, may start with this word.
pub(crate) fn owners_of_word(word: &str) -> Vec<&'static str> {
    fn has<K>(rows: &[Row<K>], word: &str) -> impl Iterator<Item = &'static str> {
        let is_it = |form: &Form| form.word == Some(word);
        rows.iter()
            .filter(move |row| (row.forms)().iter().any(is_it))
            .map(|row| row.name)
    }
    // The parts of `hardening` are many; its level is named as `hardening` itself.
    let mechanisms = HARDENING
        .split_first()
        .map_or(HARDENING, |(_level, rest)| rest);
    let of_a_mechanism = has(mechanisms, word).next().map(|_| "hardening(…)");
    has(OPTIONS, word)
        .chain(has(FAST_PATH, word))
        .chain(of_a_mechanism)
        .collect()
}

/// The group, as a user writes it, that has a part of this name.
pub(crate) fn group_of_part(part: &str) -> Option<&'static str> {
    fn has<K>(rows: &[Row<K>], part: &str) -> bool {
        rows.iter().any(|row| row.name == part)
    }
    match part {
        _ if has(FAST_PATH, part) => Some("fast_path"),
        _ if has(HARDENING, part) => Some("hardening"),
        _ if has(RETIRE_CYCLES, part) => Some("retire_cycles"),
        _ if has(GEOMETRIC, part) => Some("geometric"),
        _ => None,
    }
}

/// The forms that a type's words make.
fn words<T: Words>() -> Vec<Form> {
    let form = |word: &Word<T>| Form {
        word: Some(word.name),
        example: match word.args {
            "" => word.name.to_owned(),
            args => format!("{}({args})", word.name),
        },
    };
    T::WORDS.iter().map(form).collect()
}

/// The forms and one more, at `index`.
fn with(mut forms: Vec<Form>, index: usize, example: &str) -> Vec<Form> {
    forms.insert(
        index,
        Form {
            word: None,
            example: example.to_owned(),
        },
    );
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_a_user_writes_them() {
        let row = |key| OPTIONS.iter().find(|row| row.key == key).unwrap();
        assert_eq!(row(Key::Purge).allowed(), "`never`, `now` or `after(10ms)`");
        assert_eq!(
            row(Key::OnCorruption).allowed(),
            "`abort`, `trap` or `hook(crate::on_corruption)`"
        );
        assert_eq!(row(Key::Page).example(), "page = 64KiB");
        assert_eq!(
            row(Key::RetireCycles).allowed(),
            "from 0 to 65535 or `(small = 48, large = 16)`"
        );
    }

    #[test]
    fn bounds_read_as_a_rule() {
        assert_eq!(PAGE.allowed(), "a power of two from 64KiB to 512KiB");
        assert_eq!(LIMIT.allowed(), "at least 1MiB");
        assert_eq!(QUANTUM.allowed(), "8 or 16");
        assert_eq!(DIRECT_MAX.allowed(), "a multiple of 8 from 8 to 64KiB");
    }

    #[test]
    fn bounds_hold_at_their_ends() {
        assert!(PAGE.allows(64 * KIB) && PAGE.allows(512 * KIB));
        assert!(!PAGE.allows(32 * KIB) && !PAGE.allows(96 * KIB) && !PAGE.allows(1024 * KIB));
        assert!(QUANTUM.allows(8) && !QUANTUM.allows(12));
        assert!(!PURGE_AFTER.allows(0) && PURGE_AFTER.allows(3_600_000));
    }

    #[test]
    fn words_and_parts_know_their_owners() {
        assert_eq!(owners_of_word("half_remaining"), ["small_extend"]);
        assert_eq!(owners_of_word("never"), ["purge", "thp", "inline"]);
        assert_eq!(group_of_part("cache"), Some("fast_path"));
        assert_eq!(group_of_part("small"), Some("retire_cycles"));
        assert_eq!(group_of_part("zero"), Some("hardening"));
        assert_eq!(group_of_part("purge"), None);
    }
}
