//! The parts of `hardening(…)`: one per mechanism.

use super::{Number, Row, Rule, with, words};
use crate::number::Unit;
use crate::words::{HardeningWord, OffWord, Switch};

/// The parts of `hardening(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HardeningPart {
    Level,
    Links,
    Pages,
    Headers,
    Ends,
    Guards,
    Isolate,
    Canaries,
    Zero,
    Shuffle,
    Quarantine,
    Sample,
}

/// The parts of `hardening(…)`, in the order of the documentation.
pub(crate) const HARDENING: &[Row<HardeningPart>] = &[
    Row {
        key: HardeningPart::Level,
        name: "level",
        forms: words::<HardeningWord>,
        number: None,
        doc: "the bundle that the other parts differ from: `checked` is `links`, `pages`, \
              `headers` and `ends`, `guarded` is everything but `sample`",
    },
    Row {
        key: HardeningPart::Links,
        name: "links",
        forms: words::<Switch>,
        number: None,
        doc: "links of free blocks are keyed and checked, and a free block is signed as \
              one: a block freed twice, written to after its free or reached by a forged \
              link is found when it is freed or used again; the first 16 bytes are cleared; classes under 16 bytes are left out",
    },
    Row {
        key: HardeningPart::Pages,
        name: "pages",
        forms: words::<Switch>,
        number: None,
        doc: "a freed pointer must be the start of a block in use of this type, and of the \
              class of its layout",
    },
    Row {
        key: HardeningPart::Headers,
        name: "headers",
        forms: words::<Switch>,
        number: None,
        doc: "the allocator's own data, the headers of pages and the heaps of threads, lie between addresses that fault, \
              and huge blocks, over 16 MiB, before some",
    },
    Row {
        key: HardeningPart::Ends,
        name: "ends",
        forms: words::<Switch>,
        number: None,
        doc: "addresses that fault lie behind pages, and behind blocks from 1 MiB on, that are not in huge pages: \
              all of a process that uses less than 8 MiB (exported: 32 MiB), later a thread's first page of each \
              class, and blocks that were asked for zeroed",
    },
    Row {
        key: HardeningPart::Guards,
        name: "guards",
        forms: words::<Switch>,
        number: None,
        doc: "addresses that fault lie behind all pages, large and huge blocks; rules out huge pages",
    },
    Row {
        key: HardeningPart::Isolate,
        name: "isolate",
        forms: words::<Switch>,
        number: None,
        doc: "addresses that blocks of this type have had serve no other type",
    },
    Row {
        key: HardeningPart::Canaries,
        name: "canaries",
        forms: words::<Switch>,
        number: None,
        doc: "eight bytes behind each block up to 16 MiB are signed, and checked when it is freed or grown",
    },
    Row {
        key: HardeningPart::Zero,
        name: "zero",
        forms: words::<Switch>,
        number: None,
        doc: "a freed block up to 16 MiB is cleared, and checked to be so still when its memory is used again, so that \
              a write to any of its bytes is found",
    },
    Row {
        key: HardeningPart::Shuffle,
        name: "shuffle",
        forms: words::<Switch>,
        number: None,
        doc: "fresh blocks are handed out in random order, within 2 KiB or, where that is more, eight blocks",
    },
    Row {
        key: HardeningPart::Quarantine,
        name: "quarantine",
        forms: || with(words::<OffWord>(), 0, "64KiB"),
        number: Some(QUARANTINE),
        doc: "freed blocks of classes wait until half as many bytes were freed after them, at most this many per heap; \
              a class caches half as many, if `cache` is not off",
    },
    Row {
        key: HardeningPart::Sample,
        name: "sample",
        forms: || with(words::<OffWord>(), 0, "4096"),
        number: Some(SAMPLE),
        doc: "about one block in so many, of any class up to 60 KiB, has OS pages of its own, \
              between guards, and faults after its free: cheap enough for production",
    },
];

const QUARANTINE: Number = Number {
    unit: Unit::Bytes,
    min: 1 << 10,
    max: 64 << 20,
    rule: Rule::Any,
    constant: false,
};
const SAMPLE: Number = Number {
    unit: Unit::Of("blocks"),
    min: 1,
    max: 1_000_000_000,
    rule: Rule::Any,
    constant: false,
};
