//! The command line of `race`.

use super::{at_least_one, version};
use crate::race::entrants::{ENTRANTS, Entrant, Feature, Side};
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
    /// On what, in the order of [`ROWS`].
    pub rows: Vec<&'static Row>,
    /// Who, in the order of [`ENTRANTS`].
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

/// What `race` was asked to do.
pub enum Task {
    /// To race.
    Race(Racing),
    /// To print this and be done.
    Print(String),
}

/// Reads the arguments after `race`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Task, lexopt::Error> {
    let (mut only, mut names): (Vec<&'static Row>, Vec<&'static Entrant>) = Default::default();
    let (mut rounds, mut seconds, mut json, mut svg) = (None, None, None, None);
    let (mut size, mut seed) = (Size::Full, DEFAULT_SEED);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("only") => only.extend(list(parser, row)?),
            Arg::Long("entrants") => names.extend(list(parser, entrant)?),
            Arg::Long("rounds") => rounds = Some(at_least_one(parser, "--rounds")? as usize),
            Arg::Long("seconds") => seconds = Some(at_least_one(parser, "--seconds")?),
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("svg") => svg = Some(PathBuf::from(parser.value()?)),
            Arg::Long("quick") => size = Size::Quick,
            Arg::Long("help") | Arg::Short('h') => return Ok(Task::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Task::Print(version())),
            other => return Err(other.unexpected()),
        }
    }
    if rounds.is_none() && seconds.is_none() {
        rounds = Some(DEFAULT_ROUNDS);
    }
    let is_row = |row: &&Row| only.is_empty() || only.contains(row);
    let takes_part = |entrant: &&Entrant| match names.as_slice() {
        [] => entrant.feature.is_on(),
        names => names.iter().any(|it| it.executable == entrant.executable),
    };
    Ok(Task::Race(Racing {
        rows: ROWS.iter().filter(is_row).collect(),
        entrants: ENTRANTS.iter().filter(takes_part).collect(),
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

fn row(name: &str) -> Result<&'static Row, String> {
    Row::by_name(name).ok_or_else(|| {
        let names: Vec<String> = ROWS.iter().map(Row::name).collect();
        format!("unknown row '{name}' (there are {})", names.join(", "))
    })
}

/// One that takes part by itself, not only beside another.
pub(super) fn entrant(name: &str) -> Result<&'static Entrant, String> {
    let found = Entrant::by_name(name).filter(|entrant| entrant.side != Side::Control);
    let Some(entrant) = found else {
        let names: Vec<&str> = ENTRANTS
            .iter()
            .filter(|entrant| entrant.side != Side::Control)
            .map(|entrant| entrant.name)
            .collect();
        return Err(format!(
            "unknown entrant '{name}' (there are {})",
            names.join(", ")
        ));
    };
    if entrant.feature.is_on() {
        Ok(entrant)
    } else {
        let feature = Feature::Peers.name();
        Err(format!(
            "'{name}' takes part with `--features {feature}` only"
        ))
    }
}

fn help() -> String {
    let mut text = format!(
        "Races the presets against other allocators: one executable for each allocator, one
process for each run, interleaved rounds. On each row, ours are compared with the best
peer of that row and with mimalloc 3, in CPU time, time by the clock and peak memory.

Usage: allocator-lab race [options]

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
    text.push_str("\nEntrants:\n");
    for entrant in &ENTRANTS {
        let _ = writeln!(text, "  {:<17}  {}", entrant.name, entrant.about);
    }
    text.push_str(
        "\nExits 0; 1 if one of ours failed or a file could not be written; 2 on wrong arguments.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn racing(arguments: &[&str]) -> Result<Racing, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Task::Race(racing)) => Ok(racing),
            Ok(Task::Print(_)) => Err("not a race".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn nothing_said_means_every_row_and_all_that_this_build_allows() {
        let racing = racing(&[]).unwrap();
        assert_eq!(racing.rows.len(), ROWS.len());
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
        let rows: Vec<String> = racing.rows.iter().map(|row| row.name()).collect();
        assert_eq!(rows, ["burst", "tree", "json-aged"]);
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
        let mistakes: [(&[&str], &str); 6] = [
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
