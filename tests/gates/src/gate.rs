//! What must hold of the counts.

/// A count, as the table names it.
pub struct Counted {
    /// The allocator.
    pub variant: &'static str,
    /// The loop.
    pub work: &'static str,
    /// Instructions per operation.
    pub instructions: f64,
}

/// A rule about the counts of one loop.
enum Rule {
    /// A variant takes at most so many instructions.
    AtMost(&'static str, f64),
    /// A variant takes as many as the default.
    AsDefault(&'static str),
    /// A variant takes no more than the default: off the inlined path the compiler may do better
    /// for a type that is used in fewer places.
    AtMostDefault(&'static str),
    /// A variant takes at least so many more than the default. Without these the rules above
    /// could hold because the loops do not reach what they are about.
    MoreThanDefault(&'static str, f64),
}

use Rule::{AsDefault, AtMost, AtMostDefault, MoreThanDefault};

/// The rules, each with its loop.
const RULES: [(&str, Rule); 12] = [
    ("pair", AtMost("global", 16.0)),
    ("random", AtMost("global", 40.0)),
    // Being global costs nothing.
    ("pair", AsDefault("global")),
    ("burst", AsDefault("global")),
    ("random", AsDefault("global")),
    // Counting costs something wherever it counts: `stats = off` is what leaves it out.
    ("pair", MoreThanDefault("stats = counters", 2.0)),
    ("random", MoreThanDefault("stats = counters", 1.0)),
    // A limit is looked at where memory is claimed, and nowhere else.
    ("pair", AsDefault("limit = 512MiB")),
    ("burst", AsDefault("limit = 512MiB")),
    ("random", AtMostDefault("limit = 512MiB")),
    // The cache is a mode of the same path, so that without it the path is the same.
    ("pair", AsDefault("cache = off")),
    ("random", MoreThanDefault("cache = off", 2.0)),
];

/// Counts nearer than this are equal: a run's start is not the same to the instruction.
const EQUAL: f64 = 0.01;

/// What each rule says of the counts, and whether it holds.
pub fn judge(counts: &[Counted]) -> Vec<(String, bool)> {
    let of = |work, variant| {
        let mut counts = counts.iter();
        counts
            .find(|counted| counted.work == work && counted.variant == variant)
            .map_or(f64::NAN, |counted| counted.instructions)
    };
    let judged = |(work, rule): &(&'static str, Rule)| {
        let default = of(*work, "default");
        // A comparison with what is not a number is false, so that a missing count is a failure.
        let (says, holds) = match *rule {
            AtMost(variant, most) => {
                let count = of(*work, variant);
                let says = format!("`{variant}` takes {count:.2}, at most {most}");
                (says, count < most + EQUAL)
            }
            AsDefault(variant) => {
                let count = of(*work, variant);
                let says = format!("`{variant}` takes {count:.2}, the default {default:.2}: equal");
                (says, (count - default).abs() < EQUAL)
            }
            AtMostDefault(variant) => {
                let count = of(*work, variant);
                let says =
                    format!("`{variant}` takes {count:.2}, at most the default's {default:.2}");
                (says, count < default + EQUAL)
            }
            MoreThanDefault(variant, least) => {
                let more = of(*work, variant) - default;
                let says =
                    format!("`{variant}` takes {more:.2} more than the default, at least {least}");
                (says, more >= least)
            }
        };
        (format!("{work}: {says}"), holds)
    };
    RULES.iter().map(judged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules that fail when every variant takes `default` but for `others`.
    fn broken(others: &[(&str, &str, f64)]) -> Vec<String> {
        let mut counts = Vec::new();
        for work in ["pair", "burst", "random"] {
            for variant in [
                "global",
                "default",
                "stats = counters",
                "limit = 512MiB",
                "cache = off",
            ] {
                let other = others
                    .iter()
                    .find(|other| (other.0, other.1) == (work, variant));
                let instructions = other.map_or(16.0, |other| other.2);
                counts.push(Counted {
                    variant,
                    work,
                    instructions,
                });
            }
        }
        let judged = judge(&counts).into_iter();
        judged
            .filter(|(_, holds)| !holds)
            .map(|(rule, _)| rule)
            .collect()
    }

    const GOOD: [(&str, &str, f64); 3] = [
        ("pair", "stats = counters", 27.0),
        ("random", "stats = counters", 27.0),
        ("random", "cache = off", 86.0),
    ];

    #[test]
    fn good_counts_break_no_rule() {
        assert_eq!(broken(&GOOD), [""; 0]);
    }

    #[test]
    fn every_count_that_is_wrong_breaks_its_rule() {
        let with = |wrong| broken(&[&[wrong], &GOOD[..]].concat());
        assert_eq!(with(("burst", "limit = 512MiB", 17.0)).len(), 1);
        assert_eq!(with(("pair", "stats = counters", 16.0)).len(), 1);
        assert_eq!(with(("random", "cache = off", 16.0)).len(), 1);
        // Too many, and no longer as many as the default.
        assert_eq!(with(("pair", "global", 17.0)).len(), 2);
        assert_eq!(with(("random", "global", 41.0)).len(), 2);
    }

    #[test]
    fn a_count_that_is_missing_breaks_every_rule() {
        assert!(judge(&[]).iter().all(|(_, holds)| !holds));
    }
}
