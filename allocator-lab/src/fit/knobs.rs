//! The options beside the classes: which values are tried, and what is kept of them. They are tried one
//! after the other, each beside what was kept so far, on the core itself.

use serde::Serialize;

/// An option and the values that are tried, in the order in which they are.
pub struct Knob {
    /// The option.
    pub name: &'static str,
    /// As the attribute has it.
    pub values: &'static [&'static str],
}

/// All of them: smaller first, then larger than the default's.
pub const KNOBS: [Knob; 4] = [
    Knob {
        name: "small_extend",
        values: &["small_extend = batch(4KiB)", "small_extend = batch(64KiB)"],
    },
    Knob {
        name: "retire_cycles",
        values: &[
            "retire_cycles(small = 16, large = 4)",
            "retire_cycles(small = 192, large = 64)",
        ],
    },
    Knob {
        name: "page",
        values: &["page = 128KiB", "page = 256KiB"],
    },
    Knob {
        name: "cache",
        values: &["fast_path(cache = 16)", "fast_path(cache = 256)"],
    },
];

/// The values that `wanted` names, in the order in which they are tried: those of an option, or one as the
/// attribute has it. All, where it names none.
///
/// # Errors
/// What is neither, in a line.
pub fn named(wanted: &[String]) -> Result<Vec<&'static str>, String> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let is_meant = |word: &str, knob: &Knob, value: &str| {
        word.trim() == knob.name || bare(word) == bare(value)
    };
    let all = || {
        KNOBS
            .iter()
            .flat_map(|knob| knob.values.iter().map(move |value| (knob, *value)))
    };
    let unknown = |word: &&String| !all().any(|(knob, value)| is_meant(word, knob, value));
    if let Some(word) = wanted.iter().find(unknown) {
        let names: Vec<&str> = KNOBS.iter().map(|knob| knob.name).collect();
        return Err(format!(
            "--try is one of {}, or a value of theirs as the help has it, not '{word}'",
            names.join(", ")
        ));
    }
    let is_wanted =
        |knob, value| wanted.is_empty() || wanted.iter().any(|word| is_meant(word, knob, value));
    let values = all().filter(|(knob, value)| is_wanted(knob, value));
    Ok(values.map(|(_, value)| value).collect())
}

/// What a replay said of a value beside what was kept so far.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The option's value.
    pub value: &'static str,
    /// CPU time to that without it.
    pub cpu_ratio: f64,
    /// Peak memory to that without it.
    pub memory_ratio: f64,
    /// Whether one is better and none is worse, as an A/B says it.
    pub kept: bool,
}

/// The options of what was kept.
#[must_use]
pub fn kept(trials: &[Trial]) -> Vec<&'static str> {
    // Of an option, the last value that was kept is better than the one before it.
    let last_of = |knob: &Knob| {
        let kept = trials.iter().rev().filter(|trial| trial.kept);
        let values = kept.map(|trial| trial.value);
        values.into_iter().find(|value| knob.values.contains(value))
    };
    KNOBS.iter().filter_map(last_of).collect()
}

/// What is kept with another value for one of its options.
#[must_use]
pub fn with(kept: &[&'static str], value: &'static str) -> Vec<&'static str> {
    let knob = KNOBS.iter().find(|knob| knob.values.contains(&value));
    let is_other = |other: &&&'static str| !knob.is_some_and(|knob| knob.values.contains(*other));
    let mut options: Vec<_> = kept.iter().filter(is_other).copied().collect();
    options.push(value);
    options
}

/// The trials as text, and what to add to the attribute.
#[must_use]
pub fn render(trials: &[Trial]) -> String {
    let mut text = format!("{:<42} {:>9} {:>8}\n", "replayed", "CPU time", "memory");
    for trial in trials {
        text += &format!(
            "{:<42} {:>9.3} {:>8.3}  {}\n",
            trial.value,
            trial.cpu_ratio,
            trial.memory_ratio,
            if trial.kept { "kept" } else { "no better" }
        );
    }
    match kept(trials).as_slice() {
        [] => text + "The default's other options stay: none was better.\n",
        options => text + "Add to the attribute:\n    " + &options.join(",\n    ") + ",\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(value: &'static str, kept: bool) -> Trial {
        Trial {
            value,
            cpu_ratio: 1.0,
            memory_ratio: 0.9,
            kept,
        }
    }

    #[test]
    fn of_an_option_one_value_is_kept_and_the_last_that_was_better() {
        let [extend, retire, ..] = &KNOBS;
        let trials = [
            trial(extend.values[0], true),
            trial(extend.values[1], true),
            trial(retire.values[0], false),
            trial(retire.values[1], true),
        ];
        assert_eq!(kept(&trials), [extend.values[1], retire.values[1]]);
        assert!(render(&trials).ends_with(
            "Add to the attribute:\n    small_extend = batch(64KiB),\n    \
             retire_cycles(small = 192, large = 64),\n"
        ));
        assert!(render(&trials[2..3]).contains("none was better"));
    }

    #[test]
    fn an_option_names_its_values_and_a_value_itself() {
        let named = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            named(&words)
        };
        assert_eq!(named(&[]).unwrap().len(), 8);
        assert_eq!(
            named(&["cache", "page=256KiB"]).unwrap(),
            [
                "page = 256KiB",
                "fast_path(cache = 16)",
                "fast_path(cache = 256)"
            ]
        );
        for word in ["pages", "page = 512KiB", ""] {
            let mistake = named(&["page", word]).unwrap_err();
            assert!(mistake.ends_with(&format!("not '{word}'")), "{mistake}");
            assert!(mistake.contains("small_extend, retire_cycles, page, cache"));
        }
    }

    #[test]
    fn a_value_takes_the_place_of_another_of_its_option() {
        let [extend, retire, ..] = &KNOBS;
        let before = [extend.values[0], retire.values[0]];
        assert_eq!(
            with(&before, extend.values[1]),
            [retire.values[0], extend.values[1]]
        );
    }
}
