//! The command line of `fit`.

use super::{Parsed, apart, version};
use crate::fit::choice::{
    CLASSES_MAX, DEFAULT_CLASSES, LEAST_ALLOCATIONS, LEAST_PEAK_BYTES, Objective, Wish,
};
use crate::fit::knobs::{self, KNOBS};
use lexopt::{Arg, Parser, ValueExt};
use std::path::PathBuf;

/// What to fit.
#[derive(Debug)]
pub struct Fitting {
    /// Profiles that the classes are fitted to.
    pub training: Vec<PathBuf>,
    /// Profiles that they are only judged on.
    pub held_out: Vec<PathBuf>,
    /// How.
    pub wish: Wish,
    /// Whether a profile may be of any size.
    pub anyway: bool,
    /// A trace that other options are tried on.
    pub trace: Option<PathBuf>,
    /// Which values of them are.
    pub tried: Vec<&'static str>,
    /// Where the class file goes.
    pub classes: Option<PathBuf>,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
}

/// Reads the arguments after `fit`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Fitting>, lexopt::Error> {
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    let (mut classes, mut json, mut trace, mut anyway) = (None, None, None, false);
    let mut tried = Vec::new();
    let mut wish = Wish::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(path) => training.push(PathBuf::from(path)),
            Arg::Long("holdout") => held_out.extend(parser.values()?.map(PathBuf::from)),
            Arg::Long("max-classes") => wish.most_classes = most_classes(parser)?,
            Arg::Long("objective") => wish.objective = objective(parser)?,
            Arg::Long("quantum") => wish.quantum = quantum(parser)?,
            Arg::Long("anyway") => anyway = true,
            Arg::Long("trace") => trace = Some(PathBuf::from(parser.value()?)),
            Arg::Long("try") => {
                for word in parser.values()? {
                    tried.push(word.string()?);
                }
            }
            Arg::Long("classes") => classes = Some(PathBuf::from(parser.value()?)),
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            other => return Err(other.unexpected()),
        }
    }
    if training.is_empty() {
        return Err("no profile to fit to; name one or more".into());
    }
    if trace.is_none() && !tried.is_empty() {
        return Err("--try needs --trace: values are tried on a trace".into());
    }
    let read = training.iter().chain(&held_out).chain(&trace);
    apart(classes.iter().chain(&json), read)?;
    Ok(Parsed::Task(Fitting {
        tried: knobs::named(&tried)?,
        training,
        held_out,
        wish,
        anyway,
        trace,
        classes,
        json,
    }))
}

pub(super) fn most_classes(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    match parser.value()?.parse()? {
        number @ 1..=CLASSES_MAX => Ok(number),
        other => Err(format!("--max-classes is from 1 to {CLASSES_MAX}, not {other}").into()),
    }
}

pub(super) fn objective(parser: &mut Parser) -> Result<Objective, lexopt::Error> {
    let name = parser.value()?.string()?;
    match name.as_str() {
        "memory" => Ok(Objective::Memory),
        "balanced" => Ok(Objective::Balanced),
        "speed" => Ok(Objective::Speed),
        _ => Err(format!("unknown objective '{name}' (there are memory, balanced, speed)").into()),
    }
}

pub(super) fn quantum(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    match parser.value()?.parse()? {
        quantum @ (8 | 16) => Ok(quantum),
        other => Err(format!("--quantum is 8 or 16, not {other}").into()),
    }
}

fn help() -> String {
    format!(
        "Fits size classes to what a program asked for, and prints the attribute to paste: the best
table of every length, exactly, and of those the one whose last class still pays. It is
judged on runs that were kept apart; where it would take more memory there, or saves
little, the advice is to keep the default.

Usage: allocator-lab fit PROFILE… [options]

  --holdout PROFILE…   judge on these, and do not fit to them
  --max-classes N      at most N classes (default {DEFAULT_CLASSES})
  --objective WHAT     memory, balanced (default) or speed
  --quantum N          multiples of 8 (default), or of 16 for `export = malloc`
  --trace FILE         try other options as well (extension, retiring, page, cache): each is built
                       and measured under a replay of FILE, of `record --trace`; takes minutes
  --try WHAT…          of these, try only an option's values, or one value; they are
{}
  --classes FILE       write the classes to FILE, for `size_classes = file(\"…\")`
  --json FILE          write everything, the curve included, to FILE as JSON
  --anyway             fit to profiles of under {LEAST_ALLOCATIONS} allocations or {} MiB, too
  --help               print this
  --version            print the version

A profile is the JSON of `allocator-profile`, or a CSV with the columns size, allocs,
live_at_peak and avg_live. Several for training count the same each, whatever their size.
Memory is that behind the pages of the blocks live at the peak, by a model of the core's
pages. Usable sizes feed back into what a program asks for: after a change, record again.

Exits 0, also when the advice is to keep the default; 1 if a profile cannot be read or tells
too little, or a file could not be written; 2 on wrong arguments.
",
        values(),
        LEAST_PEAK_BYTES >> 20
    )
}

/// A line for each option and its values.
fn values() -> String {
    let line = |knob: &knobs::Knob| {
        let values = knob.values.join("', '");
        format!("{:25}{}: '{values}'", "", knob.name)
    };
    KNOBS.each_ref().map(line).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(arguments: &[&str]) -> Result<Fitting, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Parsed::Task(fitting)) => Ok(fitting),
            Ok(Parsed::Print(_)) => Err("nothing to fit".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn profiles_are_for_training_but_those_after_holdout() {
        let fitting = fitting(&["a", "b", "--holdout", "c", "d", "--objective=speed"]).unwrap();
        assert_eq!(fitting.training, ["a", "b"].map(PathBuf::from));
        assert_eq!(fitting.held_out, ["c", "d"].map(PathBuf::from));
        assert_eq!(fitting.wish.objective, Objective::Speed);
        assert_eq!((fitting.wish.most_classes, fitting.wish.quantum), (48, 8));
        assert_eq!(fitting.tried.len(), 8, "all that there is");
    }

    #[test]
    fn what_is_tried_may_be_said() {
        let only = [
            "a",
            "--trace",
            "t",
            "--try",
            "page",
            "fast_path(cache = 16)",
        ];
        let fitting = fitting(&only).unwrap();
        assert_eq!(fitting.trace, Some(PathBuf::from("t")));
        assert_eq!(
            fitting.tried,
            ["page = 128KiB", "page = 256KiB", "fast_path(cache = 16)"]
        );
        let help = help();
        assert!(
            help.contains("page: 'page = 128KiB', 'page = 256KiB'\n"),
            "{help}"
        );
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        let mistakes: [(&[&str], &str); 8] = [
            (&[], "no profile to fit to"),
            (&["a", "--max-classes", "0"], "from 1 to 256"),
            (
                &["a", "--objective", "fast"],
                "unknown objective 'fast' (there are memory",
            ),
            (&["a", "--quantum", "12"], "8 or 16, not 12"),
            (&["a", "--holdout"], "missing argument"),
            (&["a", "--hold", "b"], "invalid option"),
            (&["a", "--try", "page"], "--try needs --trace"),
            (
                &["a", "--trace", "t", "--try", "pages"],
                "--try is one of small_extend, retire_cycles, page, cache, or a value",
            ),
        ];
        for (arguments, part) in mistakes {
            let message = fitting(arguments).unwrap_err();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
