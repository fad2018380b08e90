//! The command line.

pub mod ab;
pub mod explain;
pub mod fit;
pub mod race;
pub mod record;
pub mod report;
pub mod scale;

use crate::contestants::CONTESTANTS;
use crate::workloads::{self, Size, WORKLOADS, Workload};
use lexopt::{Arg, Parser, ValueExt};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;

/// Seconds that a run takes if nothing else is asked for: with a build from
/// nothing before it, still under 90 on a small machine.
const DEFAULT_SECONDS: u64 = 60;

/// Seed of the random order if no other is given: any number will do.
const DEFAULT_SEED: u64 = 1;

/// What the program was asked to do.
pub enum Task {
    /// Compare the allocators.
    Compare(Comparing),
    /// Race against other allocators.
    Race(race::Racing),
    /// Measure how cost grows.
    Scale(scale::Asked),
    /// Fit size classes to profiles.
    Fit(fit::Fitting),
    /// Record what a program asks for.
    Record(record::Recording),
    /// Do the steps of a trace, for a comparison.
    Replay(PathBuf),
    /// Say what becomes of requests.
    Explain(explain::Asked),
    /// Put what was measured on a page.
    Report(report::Reporting),
    /// Compare two under a program.
    Ab(ab::Comparing),
    /// Be one run of a comparison: for this program itself.
    Child {
        /// What to run.
        workload: &'static Workload,
        /// How much of it.
        size: Size,
    },
    /// Print this and be done.
    Print(String),
}

/// What the arguments of a verb ask for.
pub enum Parsed<T> {
    /// To do this.
    Task(T),
    /// To print this and be done.
    Print(String),
}

impl<T> Parsed<T> {
    fn into_task(self, task: fn(T) -> Task) -> Task {
        match self {
            Self::Task(what) => task(what),
            Self::Print(text) => Task::Print(text),
        }
    }
}

/// How to compare.
pub struct Comparing {
    /// On what, in the order of [`WORKLOADS`].
    pub workloads: Vec<&'static Workload>,
    /// How much of each.
    pub size: Size,
    /// Number of rounds, if it was given.
    pub rounds: Option<usize>,
    /// Seconds that all may take; `None` if only the rounds were given.
    pub seconds: Option<u64>,
    /// Where the random order starts from.
    pub seed: u64,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
}

/// Reads the arguments (those after the program's name).
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let mut is_first = true;
    let mut only: Vec<&'static Workload> = Vec::new();
    let (mut rounds, mut seconds, mut json, mut child) = (None, None, None, None);
    let (mut size, mut seed) = (Size::Full, DEFAULT_SEED);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("only") => only.push(workload(&mut parser)?),
            Arg::Long("rounds") => rounds = Some(at_least_one(&mut parser, "--rounds")? as usize),
            Arg::Long("seconds") => seconds = Some(at_least_one(&mut parser, "--seconds")?),
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("quick") => size = Size::Quick,
            Arg::Long("child") => child = Some(workload(&mut parser)?),
            Arg::Long("help") | Arg::Short('h') => return Ok(Task::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Task::Print(version())),
            Arg::Value(value) => {
                let verb = value.to_str().filter(|_| is_first);
                return match of_verb(verb.unwrap_or_default(), &mut parser)? {
                    Some(task) => Ok(task),
                    None => Err(Arg::Value(value).unexpected()),
                };
            }
            other => return Err(other.unexpected()),
        }
        is_first = false;
    }
    if let Some(workload) = child {
        return Ok(Task::Child { workload, size });
    }
    let is_wanted =
        |workload: &&Workload| only.is_empty() || only.iter().any(|it| it.name == workload.name);
    let workloads = WORKLOADS.iter().filter(is_wanted).collect();
    let seconds = seconds.or(if rounds.is_some() {
        None
    } else {
        Some(DEFAULT_SECONDS)
    });
    Ok(Task::Compare(Comparing {
        workloads,
        size,
        rounds,
        seconds,
        seed,
        json,
    }))
}

/// The task of a verb, with the arguments behind it; `None` for what is no verb.
fn of_verb(verb: &str, parser: &mut Parser) -> Result<Option<Task>, lexopt::Error> {
    Ok(Some(match verb {
        "race" => race::parse(parser)?.into_task(Task::Race),
        "scale" => scale::parse(parser)?.into_task(Task::Scale),
        "ab" => ab::parse(parser)?.into_task(Task::Ab),
        "explain" => explain::parse(parser)?.into_task(Task::Explain),
        "report" => report::parse(parser)?.into_task(Task::Report),
        "record" => record::parse(parser)?.into_task(Task::Record),
        "replay" => replay(parser)?.into_task(Task::Replay),
        "fit" => fit::parse(parser)?.into_task(Task::Fit),
        _ => return Ok(None),
    }))
}

/// An error when one of these files to be written is another of them, or one that is read: it would be lost.
fn apart<'a>(
    written: impl IntoIterator<Item = &'a PathBuf>,
    read: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), lexopt::Error> {
    let place = |path: &PathBuf| {
        let path = path.canonicalize().or_else(|_| std::path::absolute(path));
        path.unwrap_or_default()
    };
    let mut known: HashSet<PathBuf> = read.into_iter().map(place).collect();
    for path in written {
        // Of devices and pipes nothing is lost.
        let is_file = !path.exists() || path.is_file();
        if is_file && !known.insert(place(path)) {
            return Err(format!("'{}' is named for two things", path.display()).into());
        }
    }
    Ok(())
}

fn replay(parser: &mut Parser) -> Result<Parsed<PathBuf>, lexopt::Error> {
    let mut trace = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Parsed::Print(help())),
            Arg::Value(path) if trace.is_none() => trace = Some(PathBuf::from(path)),
            other => return Err(other.unexpected()),
        }
    }
    trace
        .map(Parsed::Task)
        .ok_or_else(|| "replay takes a trace".into())
}

fn workload(parser: &mut Parser) -> Result<&'static Workload, lexopt::Error> {
    let name = parser.value()?.string()?;
    workloads::by_name(&name).ok_or_else(|| {
        let names = WORKLOADS
            .each_ref()
            .map(|workload| workload.name)
            .join(", ");
        format!("unknown workload '{name}' (there are {names})").into()
    })
}

fn at_least_one(parser: &mut Parser, option: &str) -> Result<u64, lexopt::Error> {
    /// A year, in seconds: far from where adding it to the time of day overflows.
    const MOST: u64 = 365 * 24 * 60 * 60;
    match parser.value()?.parse()? {
        number @ 1..=MOST => Ok(number),
        other => Err(format!("{option} takes a number from 1 to {MOST}, not {other}").into()),
    }
}

fn version() -> String {
    concat!("allocator-lab ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

fn help() -> String {
    let mut text = format!(
        "Compares declared allocators on real input: interleaved rounds, one process per
allocator and workload, each with its ratio to `stock`, a 95 % interval and a verdict.

Usage: allocator-lab [options]
       allocator-lab race [options]   against other allocators; see `race --help`
       allocator-lab scale [options]  how cost grows; see `scale --help`
       allocator-lab record -- CMD…   what a program asks for; see `record --help`
       allocator-lab replay TRACE     what was recorded with --trace, done again by this
                                      process's `malloc`: under `ab`, `fit --trace` does that
       allocator-lab fit PROFILE…     size classes for a program; see `fit --help`
       allocator-lab explain SIZE…    what becomes of a request; see `explain --help`
       allocator-lab ab --a A --b B   two under a program of yours; see `ab --help`
       allocator-lab report FILE…     all of it on a page; see `report --help`

  --only WORKLOAD  run this workload only; repeat it for more
  --seconds S      begin no round that would end after S seconds (default {DEFAULT_SECONDS});
                   the first rounds, as many as a verdict needs, are run in any case
  --rounds N       run N rounds; with --seconds, at most N
  --seed N         start of the random order (default {DEFAULT_SEED})
  --json FILE      write everything, the single runs included, to FILE as JSON
  --help           print this
  --version        print the version

Workloads:
"
    );
    // Writing to a `String` cannot fail.
    for workload in &WORKLOADS {
        let _ = writeln!(text, "  {:<15}  {}", workload.name, workload.about);
    }
    text.push_str("\nAllocators:\n");
    for contestant in &CONTESTANTS {
        let _ = writeln!(text, "  {:<15}  {}", contestant.name, contestant.about);
    }
    text.push_str("\nExits 0; 1 if an allocator failed or a file could not be written; 2 on wrong arguments.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparing(arguments: &[&str]) -> Result<Comparing, String> {
        match parse(arguments.iter().map(OsString::from)) {
            Ok(Task::Compare(comparing)) => Ok(comparing),
            Ok(_) => Err("not a comparison".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn nothing_said_means_every_workload_for_the_default_time() {
        let comparing = comparing(&[]).unwrap();
        assert_eq!(comparing.workloads.len(), WORKLOADS.len());
        assert_eq!(
            (comparing.rounds, comparing.seconds),
            (None, Some(DEFAULT_SECONDS))
        );
    }

    #[test]
    fn rounds_lift_the_time_limit_unless_it_is_given_too() {
        assert_eq!(comparing(&["--rounds", "3"]).unwrap().seconds, None);
        assert_eq!(
            comparing(&["--rounds=3", "--seconds=9"]).unwrap().seconds,
            Some(9)
        );
    }

    #[test]
    fn workloads_asked_for_are_run_once_each() {
        let comparing = comparing(&["--only", "burst", "--only", "json", "--only=burst"]).unwrap();
        let names: Vec<&str> = comparing
            .workloads
            .iter()
            .map(|workload| workload.name)
            .collect();
        assert_eq!(names, ["json", "burst"]);
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        let mistakes: [(&[&str], &str); 7] = [
            (&["--round", "3"], "invalid option '--round'"),
            (&["run"], "unexpected argument"),
            (&["--quick", "race"], "unexpected argument"),
            (&["--rounds", "0"], "from 1 to"),
            (&["--rounds", "many"], "many"),
            (
                &["--only", "burst64"],
                "unknown workload 'burst64' (there are rust-source",
            ),
            (&["--json"], "missing argument"),
        ];
        for (arguments, part) in mistakes {
            let message = comparing(arguments).err().unwrap();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
