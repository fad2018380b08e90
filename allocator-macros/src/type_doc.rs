//! What the generated type says of itself in rustdoc: the attribute that
//! declares it, every option written out, and its size classes.

use std::fmt::Write as _;

use crate::number::{Amount, Unit};
use crate::options::GUARD_BYTES;
use crate::presets::Hardening;
use crate::spec::{Extend, Sizes, Spec, page_of};
use crate::spelling::tidy;
use crate::words::{
    ExportWord, HardeningWord, InlineWord, StatsWord, ThpWord, TlsWord, Word, Words,
};
use crate::written::{OnCorruption, Purge, Written};

/// The rustdoc of the type; `first` when the user wrote none of their own.
pub(crate) fn text(spec: &Spec, first: bool) -> String {
    let mut text = String::new();
    if first {
        text.push_str("A memory allocator declared with `derive_allocator`.\n");
    }
    text.push_str("\n# Configuration\n```text\n");
    text.push_str(&attribute(spec));
    text.push_str("```\n\n# Size classes\n");
    text.push_str(&table(spec));
    text
}

/// The attribute with every option written out, one per line.
fn attribute(spec: &Spec) -> String {
    let bytes = |bytes| Unit::Bytes.show(bytes);
    let mut lines = Vec::new();
    lines.push(match &spec.sizes {
        Sizes::Standard => "size_classes = standard".to_owned(),
        Sizes::Geometric {
            quantum,
            per_doubling,
            max,
        } => format!(
            "size_classes = geometric(quantum = {quantum}, per_doubling = {per_doubling}, \
             max = {})",
            bytes(*max)
        ),
        Sizes::List { .. } => {
            let classes: Vec<_> = spec.classes.iter().map(amount).collect();
            format!("size_classes = [{}]", classes.join(", "))
        }
    });
    lines.push(match &spec.small_extend {
        Extend::Batch(batch) => format!("small_extend = batch({})", amount(batch)),
        Extend::HalfRemaining => "small_extend = half_remaining".to_owned(),
        Extend::All => "small_extend = all".to_owned(),
    });
    let (small, large) = (spec.retire_small, spec.retire_large);
    lines.push(format!("retire_cycles(small = {small}, large = {large})"));
    lines.push(format!(
        "fast_path({}, {}, cache = {}, direct_max = {}, inline = {})",
        flag("local_first", spec.local_first),
        flag("skip_collect", spec.skip_collect),
        match spec.cache.value {
            0 => "off".to_owned(),
            blocks => blocks.to_string(),
        },
        bytes(spec.direct_max.value),
        name::<InlineWord>(spec.inline),
    ));
    lines.push(format!("page = {}", bytes(spec.page)));
    lines.push(match spec.purge {
        Purge::Never => "purge = never".to_owned(),
        Purge::Now => "purge = now".to_owned(),
        Purge::After(millis) => format!("purge = after({})", Unit::Millis.show(millis)),
    });
    lines.push(format!("thp = {}", name::<ThpWord>(spec.thp)));
    lines.push(hardening(spec.hardening));
    lines.push(match &spec.on_corruption {
        OnCorruption::Abort => "on_corruption = abort".to_owned(),
        OnCorruption::Trap => "on_corruption = trap".to_owned(),
        OnCorruption::Hook(path) => format!("on_corruption = hook({})", tidy(path)),
    });
    lines.push(format!("stats = {}", name::<StatsWord>(spec.stats)));
    lines.extend(
        spec.limit
            .as_ref()
            .map(|limit| format!("limit = {}", amount(limit))),
    );
    lines.push(format!("tls = {}", name::<TlsWord>(spec.tls)));
    lines.push(format!("export = {}", name::<ExportWord>(spec.export)));

    let mut text = String::from("#[derive_allocator(\n");
    for line in lines {
        let _ = writeln!(text, "    {line},");
    }
    text + ")]\n"
}

/// `hardening`: a level where one is exactly this, else every mechanism.
fn hardening(hardening: Hardening) -> String {
    let is_it = |word: &&Word<HardeningWord>| word.value.mechanisms() == hardening;
    if let Some(word) = HardeningWord::WORDS.iter().find(is_it) {
        return format!("hardening = {}", word.name);
    }
    let or_off = |name, value, unit: Unit| match value {
        0 => format!("{name} = off"),
        value => format!("{name} = {}", unit.show(value)),
    };
    let parts = [
        flag("links", hardening.links),
        flag("pages", hardening.pages),
        flag("headers", hardening.headers),
        flag("ends", hardening.ends),
        flag("guards", hardening.guards),
        flag("isolate", hardening.isolate),
        flag("canaries", hardening.canaries),
        flag("zero", hardening.zero),
        flag("shuffle", hardening.shuffle),
        or_off("quarantine", hardening.quarantine, Unit::Bytes),
        or_off("sample", hardening.sample, Unit::Of("blocks")),
    ];
    format!("hardening({})", parts.join(", "))
}

/// The size-class table; a class that only the compiler knows is named.
fn table(spec: &Spec) -> String {
    let mut text =
        String::from("| block | worst waste | blocks per page | page |\n|---:|---:|---:|---:|\n");
    let mut before = Some(0);
    for class in &spec.classes {
        let Amount::Known(bytes) = class.value else {
            let _ = writeln!(text, "| `{}` | | | |", amount(class));
            before = None;
            continue;
        };
        let waste = before.map_or(String::new(), |before| {
            let wasted = bytes - (before + 1);
            format!("{} %", (100 * wasted + bytes / 2) / bytes)
        });
        let page = page_of(bytes, spec.page);
        let guard = if spec.hardening.guards {
            GUARD_BYTES
        } else {
            0
        };
        let (blocks, page) = ((page - guard) / bytes, Unit::Bytes.show(page));
        let _ = writeln!(text, "| {bytes} | {waste} | {blocks} | {page} |");
        before = Some(bytes);
    }
    text.push_str(
        "\nWorst waste is what the smallest request that a class serves leaves unused of a block.\n",
    );
    if spec.hardening.canaries {
        text.push_str("A request is served as one of eight bytes more, which are its canary.\n");
    }
    text
}

/// A size as the user would write it.
pub(crate) fn amount(written: &Written<Amount>) -> String {
    match &written.value {
        Amount::Known(bytes) => Unit::Bytes.show(*bytes),
        Amount::Constant(expr) => tidy(expr),
    }
}

/// A flag as the attribute has it.
fn flag(name: &str, on: bool) -> String {
    if on {
        name.to_owned()
    } else {
        format!("{name} = off")
    }
}

/// The word for a value.
fn name<T: Words + PartialEq>(value: T) -> &'static str {
    let word = T::WORDS.iter().find(|word| word.value == value);
    word.map_or("", |word| word.name)
}
