//! The command line of `race`.

use super::{Parsed, at_least_one, version};
use crate::programs::entrants::{self as preloaded, PRELOADED};
use crate::programs::rows::{PROGRAMS, Program};
use crate::race::entrants::{ENTRANTS, Entrant, Side};
use crate::race::rows::{ROWS, Row};
use crate::workloads::Size;
use lexopt::{Arg, Parser, ValueExt};
use std::fmt::Write;
use std::path::PathBuf;

/// Rounds that are run if neither rounds nor seconds are given.
const DEFAULT_ROUNDS: usize = 10;

/// Seed of the random order if no other is given: any number will do.
const DEFAULT_SEED: u64 = 1;

/// How to race.
pub struct Racing {
    /// On what.
    pub rows: Rows,
    /// Who, in the order of [`ENTRANTS`] or of [`PRELOADED`].
    pub entrants: Vec<&'static Entrant>,
    /// How much of each.
    pub size: Size,
    /// Most rounds; `None` if only seconds were given.
    pub rounds: Option<usize>,
    /// Seconds that the rounds may take; `None` if only rounds count.
    pub seconds: Option<u64>,
    /// Where the random order starts from.
    pub seed: u64,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
    /// Where the chart goes.
    pub svg: Option<PathBuf>,
}

/// What is raced on.
pub enum Rows {
    /// Workloads of this program, in the order of [`ROWS`].
    Workloads(Vec<&'static Row>),
    /// Programs of the machine, in the order of [`PROGRAMS`].
    Programs(Vec<&'static Program>),
}

/// Reads the arguments after `race`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Racing>, lexopt::Error> {
    // Looked up at the end: `--programs` says what they are names of.
    let (mut only, mut names): (Vec<String>, Vec<String>) = Default::default();
    let mut programs = false;
    let (mut rounds, mut seconds, mut json, mut svg) = (None, None, None, None);
    let (mut size, mut seed) = (Size::Full, DEFAULT_SEED);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("only") => only.extend(list(parser, owned)?),
            Arg::Long("entrants") => names.extend(list(parser, owned)?),
            Arg::Long("programs") => programs = true,
            Arg::Long("rounds") => rounds = Some(at_least_one(parser, "--rounds")? as usize),
            Arg::Long("seconds") => seconds = Some(at_least_one(parser, "--seconds")?),
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("svg") => svg = Some(PathBuf::from(parser.value()?)),
            Arg::Long("quick") => size = Size::Quick,
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            other => return Err(other.unexpected()),
        }
    }
    if rounds.is_none() && seconds.is_none() {
        rounds = Some(DEFAULT_ROUNDS);
    }
    let (rows, entrants) = if programs {
        let rows = chosen(&PROGRAMS, &look_up(&only, program)?);
        let named = look_up(&names, preloaded)?;
        let entrants = taking_part(PRELOADED, &named, preloaded::takes_part_unasked);
        (Rows::Programs(rows), entrants)
    } else {
        let rows = chosen(&ROWS, &look_up(&only, row)?);
        let named = look_up(&names, entrant)?;
        let entrants = taking_part(ENTRANTS, &named, |entrant| entrant.feature.is_on());
        (Rows::Workloads(rows), entrants)
    };
    Ok(Parsed::Task(Racing {
        rows,
        entrants,
        size,
        rounds,
        seconds,
        seed,
        json,
        svg,
    }))
}

/// The names in `A,B,C`, each looked up.
pub(super) fn list<T>(
    parser: &mut Parser,
    look_up: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, lexopt::Error> {
    let names = parser.value()?.string()?;
    let found: Result<Vec<T>, String> = names.split(',').map(look_up).collect();
    Ok(found?)
}

fn owned(name: &str) -> Result<String, String> {
    Ok(name.to_owned())
}

fn look_up<T>(
    names: &[String],
    look_up: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    names.iter().map(|name| look_up(name)).collect()
}

/// Those of `all` that are named, each once and in their order; all if none is.
fn chosen<T>(all: &'static [T], named: &[&'static T]) -> Vec<&'static T> {
    let is_named = |one: &&T| named.iter().any(|it| std::ptr::eq(*it, *one));
    let all = all.iter();
    all.filter(|one| named.is_empty() || is_named(one))
        .collect()
}

/// Those who are named, each with its copy; if none is, those who take part unasked.
fn taking_part(
    all: &'static [Entrant],
    named: &[&'static Entrant],
    unasked: impl Fn(&Entrant) -> bool,
) -> Vec<&'static Entrant> {
    let takes_part = |entrant: &&Entrant| match named {
        [] => unasked(entrant),
        named => named.iter().any(|it| it.executable == entrant.executable),
    };
    all.iter().filter(takes_part).collect()
}

fn row(name: &str) -> Result<&'static Row, String> {
    Row::by_name(name).ok_or_else(|| {
        let names: Vec<String> = ROWS.iter().map(Row::name).collect();
        unknown("row", name, &names)
    })
}

fn program(name: &str) -> Result<&'static Program, String> {
    Program::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        unknown("program", name, &names)
    })
}

fn unknown<T: AsRef<str>>(what: &str, name: &str, names: &[T]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    format!("unknown {what} '{name}' (there are {})", names.join(", "))
}

/// One that takes part under programs, by itself.
fn preloaded(name: &str) -> Result<&'static Entrant, String> {
    let found = preloaded::by_name(name).filter(|entrant| entrant.side != Side::Control);
    found.ok_or_else(|| unknown("entrant", name, &names_of(PRELOADED)))
}

/// The names of those that take part by themselves.
fn names_of(entrants: &[Entrant]) -> Vec<&'static str> {
    let by_itself = |entrant: &&Entrant| entrant.side != Side::Control;
    let entrants = entrants.iter().filter(by_itself);
    entrants.map(|entrant| entrant.name).collect()
}

/// One that takes part by itself, not only beside another.
pub(super) fn entrant(name: &str) -> Result<&'static Entrant, String> {
    let found = Entrant::by_name(name).filter(|entrant| entrant.side != Side::Control);
    let Some(entrant) = found else {
        return Err(unknown("entrant", name, &names_of(ENTRANTS)));
    };
    if entrant.feature.is_on() {
        Ok(entrant)
    } else {
        Err(format!("'{name}' takes part with `--features peers` only"))
    }
}

fn help() -> String {
    let mut text = format!(
        "Races the presets against other allocators: one executable for each allocator, one
process for each run, interleaved rounds. On each row, ours are compared with the best
peer of that row and with mimalloc 3, in CPU time, time by the clock and peak memory.

Usage: allocator-lab race [options]
       allocator-lab race --programs [options]

  --programs         race under programs of this machine, by LD_PRELOAD, instead
  --only ROW,…       race on these rows only
  --entrants NAME,…  race these only; the default brings its copy along
  --rounds N         run N rounds (default {DEFAULT_ROUNDS}); with --seconds, at most N
  --seconds S        begin no round that would end after S seconds; one is run in any case
  --seed N           start of the random order (default {DEFAULT_SEED})
  --json FILE        write everything, the single runs included, to FILE as JSON
  --svg FILE         draw all ratios to FILE as SVG
  --quick            do a hundredth of the work: to see that it runs, not to measure
  --help             print this
  --version          print the version

The executables are built first, each with fat LTO. All entrants, with a C and a C++
compiler and cmake: cargo run --release -p allocator-lab --features peers -- race

Rows:
"
    );
    // Writing to a `String` cannot fail.
    for row in &ROWS {
        let _ = writeln!(text, "  {:<17}  {}", row.name(), row.about);
    }
    entrants(&mut text, "Entrants", ENTRANTS);
    text.push_str(
        "
With --programs the rows are programs, whose output must be the same to the byte under all
entrants. CPU time is that of all processes, peak memory that of the largest. What is not
installed is left out, and named. The presets but the default take part when they are named.

Programs:
",
    );
    for program in &PROGRAMS {
        let _ = writeln!(text, "  {:<17}  {}", program.name, program.about);
    }
    entrants(&mut text, "Entrants with --programs", PRELOADED);
    text.push_str(
        "\nExits 0; 1 if one of ours failed or a file could not be written; 2 on wrong arguments.\n",
    );
    text
}

fn entrants(text: &mut String, title: &str, entrants: &[Entrant]) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "\n{title}:");
    for entrant in entrants {
        let _ = writeln!(text, "  {:<17}  {}", entrant.name, entrant.about);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn racing(arguments: &[&str]) -> Result<Racing, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Parsed::Task(racing)) => Ok(racing),
            Ok(Parsed::Print(_)) => Err("not a race".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn names(rows: &Rows) -> Vec<String> {
        match rows {
            Rows::Workloads(rows) => rows.iter().map(|row| row.name()).collect(),
            Rows::Programs(rows) => rows.iter().map(|row| row.name.to_owned()).collect(),
        }
    }

    #[test]
    fn programs_have_rows_and_entrants_of_their_own_wherever_it_is_said() {
        let arguments = ["--only=redis,perl", "--entrants", "tcmalloc,default"];
        let mut named = arguments.to_vec();
        named.insert(1, "--programs");
        let racing_named = racing(&named).unwrap();
        assert_eq!(names(&racing_named.rows), ["perl", "redis"]);
        let entrants = |racing: &Racing| -> Vec<&str> {
            racing.entrants.iter().map(|entrant| entrant.name).collect()
        };
        assert_eq!(entrants(&racing_named), ["default", "default′", "tcmalloc"]);
        let unasked = racing(&["--programs"]).unwrap();
        assert_eq!(names(&unasked.rows).len(), PROGRAMS.len());
        assert_eq!(
            entrants(&unasked),
            [
                "default",
                "default′",
                "System",
                "mimalloc2",
                "jemalloc",
                "tcmalloc"
            ]
        );
        let message = racing(&arguments).err().unwrap();
        assert!(message.contains("unknown row 'redis'"), "{message}");
    }

    #[test]
    fn nothing_said_means_every_row_and_all_that_this_build_allows() {
        let racing = racing(&[]).unwrap();
        assert_eq!(names(&racing.rows).len(), ROWS.len());
        assert_eq!(
            (racing.rounds, racing.seconds),
            (Some(DEFAULT_ROUNDS), None)
        );
        let peers = racing.entrants.iter().filter(|it| it.side == Side::Peer);
        let expected = if cfg!(feature = "peers") { 7 } else { 1 };
        assert_eq!(peers.count(), expected);
    }

    #[test]
    fn rows_and_entrants_are_lists_in_any_order_and_may_be_repeated() {
        let arguments = [
            "--only",
            "tree,json-aged",
            "--only=burst",
            "--entrants=System,default",
        ];
        let racing = racing(&arguments).unwrap();
        assert_eq!(names(&racing.rows), ["burst", "tree", "json-aged"]);
        let entrants: Vec<&str> = racing.entrants.iter().map(|it| it.name).collect();
        assert_eq!(
            entrants,
            ["default", "default′", "System"],
            "with the control"
        );
    }

    #[test]
    fn seconds_alone_lift_the_limit_on_rounds() {
        let racing = racing(&["--seconds", "60"]).unwrap();
        assert_eq!((racing.rounds, racing.seconds), (None, Some(60)));
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        let mistakes: [(&[&str], &str); 8] = [
            (&["--row", "tree"], "invalid option '--row'"),
            (&["again"], "unexpected argument"),
            (&["--rounds", "0"], "from 1 to"),
            (
                &["--only", "tree,wood"],
                "unknown row 'wood' (there are byte-sizes",
            ),
            (
                &["--entrants", "default′"],
                "unknown entrant 'default′' (there are default, ",
            ),
            (&["--svg"], "missing argument"),
            (
                &["--programs", "--only", "tree"],
                "unknown program 'tree' (there are python, ",
            ),
            (
                &["--programs", "--entrants", "rpmalloc"],
                "unknown entrant 'rpmalloc' (there are default, throughput, ",
            ),
        ];
        for (arguments, part) in mistakes {
            let message = racing(arguments).err().unwrap();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }

    #[test]
    #[cfg(not(feature = "peers"))]
    fn a_peer_that_was_not_built_in_is_told_apart_from_an_unknown_one() {
        let message = racing(&["--entrants", "jemalloc"]).err().unwrap();
        assert!(message.contains("--features peers"), "{message}");
    }
}
