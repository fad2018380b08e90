//! Keeps `options.md`, the table in the documentation of the macro, equal to
//! the tables that the macro reads. `UPDATE_DOCS=1 cargo test` writes it anew.

use std::fmt::Write as _;

use crate::number::Unit;
use crate::options::{BATCH, FAST_PATH, GEOMETRIC, HARDENING, Key, OPTIONS, RETIRE_CYCLES, Row};
use crate::presets::{Extend, Preset};
use crate::words::{
    CorruptionWord, ExportWord, HardeningWord, InlineWord, OffWord, PresetWord, StatsWord, ThpWord,
    TlsWord, Words,
};

#[test]
fn options_md_is_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/options.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, rendered()).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == rendered(),
        "options.md is not what the tables say; run `UPDATE_DOCS=1 cargo test -p allocator-macros`"
    );
}

/// The whole file.
fn rendered() -> String {
    let mut text = String::from("# Options\n\n| option | forms | default | meaning |\n");
    text.push_str("|---|---|---|---|\n");
    for row in OPTIONS {
        let bounds = match row.key {
            // The meaning says it.
            Key::SizeClasses => String::new(),
            Key::SmallExtend => format!("; `batch` from {} to the page", BATCH.min),
            Key::Purge => bounds(row).replace(';', "; `after`"),
            _ => bounds(row),
        };
        let (name, forms, doc) = (row.name, forms(row), row.doc);
        let _ = writeln!(
            text,
            "| `{name}` | {forms} | {} | {doc}{bounds} |",
            default(row.key)
        );
    }
    for (title, parts) in [
        ("Parts of `size_classes = geometric(…)`", parts(GEOMETRIC)),
        ("Parts of `retire_cycles(…)`", parts(RETIRE_CYCLES)),
        ("Parts of `fast_path(…)`", parts(FAST_PATH)),
        ("Parts of `hardening(…)`", parts(HARDENING)),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n| part | forms | meaning |\n|---|---|---|\n{parts}"
        );
    }
    text.push_str(
        "\nSizes are bytes, or have the unit `B`, `KiB`, `MiB` or `GiB`; times are milliseconds, \
         or have the unit `ms` or `s`. Sizes in a list of classes, in `batch(…)` and in `limit` \
         may be constant expressions.\n\n# Presets\n\n",
    );
    text.push_str(&presets());
    text
}

/// One line per part of a group.
fn parts<K: Copy>(rows: &[Row<K>]) -> String {
    let line = |row: &Row<K>| {
        format!(
            "| `{}` | {} | {}{} |\n",
            row.name,
            forms(row),
            row.doc,
            bounds(row)
        )
    };
    rows.iter().map(line).collect()
}

/// The forms of a value.
fn forms<K: Copy>(row: &Row<K>) -> String {
    let forms = (row.forms)().into_iter();
    let shown = forms.map(|form| format!("`{}`", form.example));
    shown.collect::<Vec<_>>().join(" · ")
}

/// The bounds of a number, as an addition to the meaning.
fn bounds<K: Copy>(row: &Row<K>) -> String {
    match &row.number {
        Some(number) => format!("; {}", number.allowed()),
        None => String::new(),
    }
}

/// What an option is that is not written, under the default preset.
fn default(key: Key) -> String {
    let preset = PresetWord::Balanced.choices();
    let value = match key {
        Key::Preset => "balanced".to_owned(),
        Key::SizeClasses => series(&preset),
        Key::SmallExtend => extend(&preset),
        Key::RetireCycles => retire(&preset),
        Key::FastPath => fast_path(&preset),
        Key::Page => Unit::Bytes.show(preset.page),
        Key::Purge => purge(&preset),
        Key::Thp => first_word::<ThpWord>(),
        Key::Hardening => hardening(&preset),
        Key::OnCorruption => first_word::<CorruptionWord>(),
        Key::Stats => first_word::<StatsWord>(),
        Key::Limit => first_word::<OffWord>(),
        Key::Tls => first_word::<TlsWord>(),
        Key::Export => first_word::<ExportWord>(),
        Key::Crate => "::allocator_core".to_owned(),
    };
    format!("`{value}`")
}

/// The presets, an option per line.
fn presets() -> String {
    let presets: Vec<_> = PresetWord::WORDS
        .iter()
        .map(|word| (word.name, word.value.choices()))
        .collect();
    let mut text = String::new();
    for (name, preset) in &presets {
        let _ = writeln!(text, "- `{name}`: {}", preset.doc);
    }
    let names: Vec<_> = presets
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let _ = write!(
        text,
        "\n| | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    type Column = (&'static str, fn(&Preset) -> String);
    let rows: [Column; 6] = [
        ("size_classes", series),
        ("small_extend", extend),
        ("retire_cycles", retire),
        ("fast_path", fast_path),
        ("purge", purge),
        ("hardening", hardening),
    ];
    for (name, value) in rows {
        let values: Vec<_> = presets
            .iter()
            .map(|(_, preset)| format!("`{}`", value(preset)))
            .collect();
        let _ = writeln!(text, "| `{name}` | {} |", values.join(" | "));
    }
    text.push_str("\nIn all of them: `page = 64KiB`, `direct_max = 8KiB`, `inline = hot`, ");
    text.push_str(
        "`thp = default`, `on_corruption = abort`, `stats = off`, `limit = off`, `tls = inline`, \
         `export = off`.\n",
    );
    text
}

fn series(preset: &Preset) -> String {
    if preset.standard_classes {
        return "standard".to_owned();
    }
    format!(
        "geometric(quantum = {}, per_doubling = {}, max = {})",
        preset.quantum,
        preset.per_doubling,
        Unit::Bytes.show(preset.max)
    )
}

fn extend(preset: &Preset) -> String {
    match preset.small_extend {
        Extend::Batch(bytes) => format!("batch({})", Unit::Bytes.show(bytes)),
        Extend::HalfRemaining => "half_remaining".to_owned(),
        Extend::All => "all".to_owned(),
    }
}

fn retire(preset: &Preset) -> String {
    format!(
        "(small = {}, large = {})",
        preset.retire_small, preset.retire_large
    )
}

fn fast_path(preset: &Preset) -> String {
    let mut parts = Vec::new();
    if preset.local_first {
        parts.push("local_first".to_owned());
    }
    if preset.skip_collect {
        parts.push("skip_collect".to_owned());
    }
    parts.push(match preset.cache {
        0 => "cache = off".to_owned(),
        blocks => format!("cache = {blocks}"),
    });
    format!("({})", parts.join(", "))
}

fn purge(preset: &Preset) -> String {
    format!("after({})", Unit::Millis.show(preset.purge_after))
}

fn hardening(preset: &Preset) -> String {
    let mut words = HardeningWord::WORDS.iter();
    let word = words.find(|word| word.value == preset.hardening);
    word.expect("a level").name.to_owned()
}

/// The first word of a choice: its default.
fn first_word<T: Words>() -> String {
    T::WORDS[0].name.to_owned()
}

#[test]
fn what_all_presets_share_is_true() {
    for word in PresetWord::WORDS.iter().map(|word| word.value) {
        let preset = word.choices();
        assert_eq!(
            (preset.page, preset.direct_max),
            (64 << 10, 8 << 10),
            "{word:?}"
        );
    }
    assert_eq!(InlineWord::WORDS[0].name, "hot");
}
