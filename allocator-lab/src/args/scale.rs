//! The command line of `scale`.

use super::race::{entrant, list};
use super::{Parsed, at_least_one, version};
use crate::race::entrants::{DEFAULT, ENTRANTS, Entrant, Side};
use crate::scale::points::{SERIES, Series};
use crate::scale::rounds::Scaling;
use crate::workloads::Size;
use lexopt::{Arg, Parser};
use std::fmt::Write;
use std::path::PathBuf;

/// Rounds that are run if no number is given.
const DEFAULT_ROUNDS: usize = 5;

/// Seed of the random order if no other is given: any number will do.
const DEFAULT_SEED: u64 = 1;

/// How the counts are asked for beside the series.
const COUNTS: &str = "counts";

/// What to find out.
pub struct Asked {
    /// What to measure.
    pub scaling: Scaling,
    /// Whether to count atomics and shared lines, too.
    pub counts: bool,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
    /// Where the chart goes.
    pub svg: Option<PathBuf>,
}

/// A part of the whole: a series, or the counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Series(Series),
    Counts,
}

/// Reads the arguments after `scale`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Asked>, lexopt::Error> {
    let (mut only, mut names): (Vec<Part>, Vec<&'static Entrant>) = Default::default();
    let (mut json, mut svg) = (None, None);
    let (mut size, mut seed, mut rounds) = (Size::Full, DEFAULT_SEED, DEFAULT_ROUNDS);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("only") => only.extend(list(parser, part)?),
            Arg::Long("entrants") => names.extend(list(parser, entrant)?),
            Arg::Long("rounds") => rounds = at_least_one(parser, "--rounds")? as usize,
            Arg::Long("seed") => seed = lexopt::ValueExt::parse(&parser.value()?)?,
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("svg") => svg = Some(PathBuf::from(parser.value()?)),
            Arg::Long("quick") => size = Size::Quick,
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            other => return Err(other.unexpected()),
        }
    }
    let is_asked = |part: Part| only.is_empty() || only.contains(&part);
    let takes_part = |entrant: &&Entrant| match names.as_slice() {
        [] => entrant.name == DEFAULT || entrant.side == Side::Peer && entrant.feature.is_on(),
        names => names.contains(entrant),
    };
    Ok(Parsed::Task(Asked {
        scaling: Scaling {
            series: SERIES
                .into_iter()
                .filter(|it| is_asked(Part::Series(*it)))
                .collect(),
            entrants: ENTRANTS.iter().filter(takes_part).collect(),
            size,
            rounds,
            seed,
        },
        counts: is_asked(Part::Counts),
        json,
        svg,
    }))
}

fn part(name: &str) -> Result<Part, String> {
    if name == COUNTS {
        return Ok(Part::Counts);
    }
    Series::by_name(name).map(Part::Series).ok_or_else(|| {
        let names = SERIES.map(Series::name).join(", ");
        format!("unknown part '{name}' (there are {names}, {COUNTS})")
    })
}

fn help() -> String {
    let mut text = format!(
        "Measures how the cost of an allocation or a free grows, in CPU time and resident memory,
and counts what threads share: for machines with more cores than this one.

Usage: allocator-lab scale [options]

  --only PART,…      these parts only: a series, or `{COUNTS}`
  --entrants NAME,…  these only (default: {DEFAULT} and all peers that this build allows)
  --rounds N         run N rounds (default {DEFAULT_ROUNDS})
  --seed N           start of the random order (default {DEFAULT_SEED})
  --json FILE        write everything, the single runs included, to FILE as JSON
  --svg FILE         draw the series to FILE as SVG
  --quick            do a hundredth of the work: to see that it runs, not to measure
  --help             print this
  --version          print the version

The executables are built first, each with fat LTO; that of the counts apart, with
`--cfg allocator_count_atomics`. Peers need `--features peers`, as for `race`.

Parts:
"
    );
    // Writing to a `String` cannot fail.
    for series in SERIES {
        let counts: Vec<String> = series
            .points()
            .iter()
            .map(|point| point.count.to_string())
            .collect();
        let _ = writeln!(
            text,
            "  {:<17}  {}: {}",
            series.name(),
            series.noun(),
            counts.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "  {COUNTS:<17}  atomics and shared lines of {DEFAULT}, by row of the race and number of threads"
    );
    text.push_str(
        "\nExits 0; 1 if one of ours failed or a file could not be written; 2 on wrong arguments.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Result<Asked, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Parsed::Task(asked)) => Ok(asked),
            Ok(Parsed::Print(_)) => Err("nothing to measure".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn nothing_said_means_every_part_on_the_default_and_the_peers() {
        let asked = asked(&[]).unwrap();
        assert_eq!(asked.scaling.series, SERIES);
        assert!(asked.counts);
        let entrants = &asked.scaling.entrants;
        assert_eq!(entrants[0].name, DEFAULT);
        assert!(entrants[1..].iter().all(|it| it.side == Side::Peer));
    }

    #[test]
    fn parts_and_entrants_are_lists() {
        let asked = asked(&["--only", "types,counts", "--entrants=System"]).unwrap();
        assert_eq!(asked.scaling.series, [Series::Types]);
        assert!(asked.counts);
        let names: Vec<&str> = asked.scaling.entrants.iter().map(|it| it.name).collect();
        assert_eq!(names, ["System"], "no copy comes along");
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        let mistakes: [(&[&str], &str); 4] = [
            (
                &["--only", "cores"],
                "unknown part 'cores' (there are live-blocks",
            ),
            (&["--entrants", "nobody"], "unknown entrant 'nobody'"),
            (&["--seconds", "9"], "invalid option '--seconds'"),
            (&["--rounds", "0"], "from 1 to"),
        ];
        for (arguments, part) in mistakes {
            let message = asked(arguments).err().unwrap();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
