//! The command line of `ab`.

use super::{Parsed, version};
use crate::ab::protocol::{LOOKS, REPEATS_MAX};
use crate::ab::side::Named;
use crate::programs::entrants::PRELOADED;
use crate::race::entrants::Side;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::path::PathBuf;

/// Seed of the random order if no other is given: any number will do.
const DEFAULT_SEED: u64 = 1;

/// Seconds that a run may take if nothing is said.
const DEFAULT_TIMEOUT_SECONDS: u32 = 600;

/// What to compare.
#[derive(Debug)]
pub struct Comparing {
    /// What B is compared with.
    pub a: Named,
    /// What is compared.
    pub b: Named,
    /// What is run under them; nothing if both are commands.
    pub command: Vec<OsString>,
    /// Most rounds.
    pub most_rounds: usize,
    /// Runs of each sample, if that was said.
    pub repeats: Option<usize>,
    /// Seconds that a run may take.
    pub timeout_seconds: u32,
    /// Whether instructions are counted, too.
    pub instructions: bool,
    /// Where the random order starts from.
    pub seed: u64,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
}

/// Reads the arguments after `ab`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Comparing>, lexopt::Error> {
    let (mut a, mut b, mut json, mut repeats) = (None, None, None, None);
    let mut most_rounds = LOOKS[LOOKS.len() - 1].rounds;
    let (mut seed, mut timeout_seconds) = (DEFAULT_SEED, DEFAULT_TIMEOUT_SECONDS);
    let mut command: Vec<OsString> = Vec::new();
    let mut instructions = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("a") => a = Some(Named::parse(&parser.value()?.string()?)?),
            Arg::Long("b") => b = Some(Named::parse(&parser.value()?.string()?)?),
            Arg::Long("max-rounds") => most_rounds = rounds(parser)?,
            Arg::Long("repeat") => repeats = Some(repeat(parser)?),
            Arg::Long("timeout") => timeout_seconds = timeout(parser)?,
            Arg::Long("instructions") => instructions = true,
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            // The first word is the command's name; the rest is the command's own.
            Arg::Value(program) => {
                command.push(program);
                command.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected()),
        }
    }
    let (Some(a), Some(b)) = (a, b) else {
        return Err("two are compared: say --a and --b".into());
    };
    let is_command = |named: &Named| matches!(named, Named::Command(_));
    match (is_command(&a) && is_command(&b), command.is_empty()) {
        (true, false) => return Err("both are commands: there is nothing to run under them".into()),
        (false, true) => return Err("no command to run under them; write it after --".into()),
        _ => {}
    }
    Ok(Parsed::Task(Comparing {
        a,
        b,
        command,
        most_rounds,
        repeats,
        timeout_seconds,
        instructions,
        seed,
        json,
    }))
}

fn rounds(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    let number: usize = parser.value()?.parse()?;
    if LOOKS.iter().any(|look| look.rounds == number) {
        return Ok(number);
    }
    let looks = LOOKS.map(|look| look.rounds.to_string()).join(", ");
    Err(format!("--max-rounds is one of {looks}, not {number}: it is judged then only").into())
}

fn repeat(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    match parser.value()?.parse()? {
        number @ 1..=REPEATS_MAX => Ok(number),
        other => Err(format!("--repeat is from 1 to {REPEATS_MAX}, not {other}").into()),
    }
}

fn timeout(parser: &mut Parser) -> Result<u32, lexopt::Error> {
    match parser.value()?.parse()? {
        number @ 1..=86_400 => Ok(number),
        other => Err(format!("--timeout is from 1 to 86400 seconds, not {other}").into()),
    }
}

fn help() -> String {
    let looks = LOOKS.map(|look| look.rounds.to_string()).join(", ");
    let names = PRELOADED.iter().filter(|it| it.side != Side::Control);
    let names: Vec<&str> = names.map(|entrant| entrant.name).collect();
    format!(
        "Says whether B is better or worse than A under a program, and how sure that is: rounds of
A, a copy of A, and B, in random order, one process for each run; judged after {looks}
rounds only. A difference counts when its whole interval is over 1 %; nothing is said where A
and its copy differ.

Usage: allocator-lab ab --a A --b B [options] [--] COMMAND…
       allocator-lab ab --a cmd:COMMAND --b cmd:COMMAND [options]

A and B are each one of
  {}
  the path of a shared object that is a `malloc`
  options or the whole attribute: 'preset = compact', '#[derive_allocator(…)]'
  a file with the attribute in it, as `fit` prints it
  cmd:COMMAND, which a shell runs as it is

  --max-rounds N  at most N rounds: {looks}
  --repeat N      runs of each sample, up to {REPEATS_MAX} (default: as many as their noise asks for)
  --timeout S     take a run of S seconds for stuck (default {DEFAULT_TIMEOUT_SECONDS})
  --instructions  count the instructions of a run, too, where valgrind is installed: some fifty
                  times slower, blind to the kernel and to caches, and beside the verdict
  --seed N        start of the random order (default {DEFAULT_SEED})
  --json FILE     write everything, the samples included, to FILE as JSON
  --help          print this
  --version       print the version

CPU time is that of all processes, peak memory that of the largest. The command's output is
kept from the terminal; where B's differs from A's, that is said.

Exits 0 if B is better or the same in CPU time and peak memory, 1 if it is worse in one or
something failed, 2 on wrong arguments, 3 if it cannot be told.
",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparing(arguments: &[&str]) -> Result<Comparing, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Parsed::Task(comparing)) => Ok(comparing),
            Ok(Parsed::Print(_)) => Err("nothing to compare".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_commands_options_are_its_own() {
        for dashes in [&["--"][..], &[]] {
            let mut arguments = vec!["--a", "default", "--b", "preset = compact"];
            arguments.extend(dashes);
            arguments.extend(["program", "--seed", "x"]);
            let comparing = comparing(&arguments).unwrap();
            assert_eq!(comparing.command, ["program", "--seed", "x"]);
            assert_eq!(comparing.a, Named::Known("default"));
            assert_eq!((comparing.seed, comparing.most_rounds), (DEFAULT_SEED, 40));
        }
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        let both = ["--a", "default", "--b", "seed"];
        let commands = ["--a", "cmd:ls", "--b", "cmd:ls"];
        let mistakes: [(&[&str], &[&str], &str); 7] = [
            (&["--a", "default"], &["ls"], "say --a and --b"),
            (&["--a", "dflt"], &[], "'dflt' is no allocator"),
            (&both, &[], "no command to run"),
            (&commands, &["ls"], "both are commands"),
            (&both, &["--max-rounds", "7"], "one of 10, 20, 40, not 7"),
            (&both, &["--repeat", "0"], "from 1 to 16"),
            (&both, &["--timeout", "0"], "from 1 to 86400"),
        ];
        for (first, then, part) in mistakes {
            let message = comparing(&[first, then].concat()).err().unwrap();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
