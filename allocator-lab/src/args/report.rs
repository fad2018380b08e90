//! The command line of `report`.

use super::fit::{most_classes, objective, quantum};
use super::{Parsed, apart, version};
use crate::fit::choice::{DEFAULT_CLASSES, Wish};
use lexopt::{Arg, Parser};
use std::path::PathBuf;

/// What to put on a page.
#[derive(Debug)]
pub struct Reporting {
    /// Profiles that classes are fitted to, a trace, and sessions of `ab`.
    pub files: Vec<PathBuf>,
    /// Profiles that the classes are only judged on.
    pub held_out: Vec<PathBuf>,
    /// How they are fitted.
    pub wish: Wish,
    /// Where the page goes.
    pub output: PathBuf,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
}

/// Reads the arguments after `report`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Reporting>, lexopt::Error> {
    let (mut files, mut held_out) = (Vec::new(), Vec::new());
    let (mut output, mut json) = (None, None);
    let mut wish = Wish::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(path) => files.push(PathBuf::from(path)),
            Arg::Long("holdout") => held_out.extend(parser.values()?.map(PathBuf::from)),
            Arg::Long("max-classes") => wish.most_classes = most_classes(parser)?,
            Arg::Long("objective") => wish.objective = objective(parser)?,
            Arg::Long("quantum") => wish.quantum = quantum(parser)?,
            Arg::Short('o') | Arg::Long("output") => {
                output = Some(PathBuf::from(parser.value()?));
            }
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            other => return Err(other.unexpected()),
        }
    }
    if files.is_empty() {
        return Err("nothing to report on; name profiles, or what `ab --json` wrote".into());
    }
    let output = output.ok_or("no place for the page; name one: -o report.html")?;
    apart(
        [&output].into_iter().chain(&json),
        files.iter().chain(&held_out),
    )?;
    Ok(Parsed::Task(Reporting {
        files,
        held_out,
        wish,
        output,
        json,
    }))
}

fn help() -> String {
    format!(
        "Puts profiles, a trace and sessions of A and B on one page for a browser: the size classes over the
program's sizes, waste against the number of classes, memory over time, and what the sessions say. The page is one
file, needs no network, and can be printed.

Usage: allocator-lab report FILE… -o report.html [options]

  -o, --output FILE    where the page goes
  --holdout PROFILE…   judge the classes on these, and do not fit to them
  --max-classes N      at most N classes (default {DEFAULT_CLASSES})
  --objective WHAT     memory, balanced (default) or speed
  --quantum N          multiples of 8 (default), or of 16 for `export = malloc`
  --json FILE          write what is on the page to FILE as JSON, too
  --help               print this
  --version            print the version

A FILE is a profile, as for `fit`, what `record --trace` wrote, or what `ab --json` wrote. Memory over
time is that of the trace; without one, the order in which blocks come and go is drawn. The classes are fitted as `fit` does it,
however little a profile tells.

Exits 0; 1 if a file cannot be read or written; 2 on wrong arguments.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reporting(arguments: &[&str]) -> Result<Reporting, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Parsed::Task(reporting)) => Ok(reporting),
            Ok(Parsed::Print(_)) => Err("nothing to report".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn files_come_before_and_after_options() {
        let arguments = ["a", "-o", "r.html", "b", "--holdout", "c", "--quantum=16"];
        let reporting = reporting(&arguments).unwrap();
        assert_eq!(reporting.files, ["a", "b"].map(PathBuf::from));
        assert_eq!(reporting.held_out, [PathBuf::from("c")]);
        assert_eq!(reporting.output, PathBuf::from("r.html"));
        assert_eq!(reporting.wish.quantum, 16);
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        let mistakes: [(&[&str], &str); 4] = [
            (&["-o", "x"], "nothing to report on"),
            (&["a"], "no place for the page"),
            (&["a", "-o"], "missing argument"),
            (&["a", "-o", "x", "--out", "y"], "invalid option"),
        ];
        for (arguments, part) in mistakes {
            let message = reporting(arguments).unwrap_err();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
