//! The command line of `record`.

use super::{Parsed, apart, version};
use lexopt::{Arg, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// Where the profile goes if nothing is said.
const DEFAULT_OUTPUT: &str = "profile.json";

/// What to record.
#[derive(Debug)]
pub struct Recording {
    /// What is run; nothing when records are there already.
    pub command: Vec<OsString>,
    /// The folder of records that are there already.
    pub from: Option<PathBuf>,
    /// Where the profile goes.
    pub output: PathBuf,
    /// Where every step goes, if that is recorded as well.
    pub trace: Option<PathBuf>,
}

/// Reads the arguments after `record`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Recording>, lexopt::Error> {
    let (mut output, mut from) = (PathBuf::from(DEFAULT_OUTPUT), None);
    let mut trace = None;
    let mut command: Vec<OsString> = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('o') | Arg::Long("output") => output = PathBuf::from(parser.value()?),
            Arg::Long("trace") => trace = Some(PathBuf::from(parser.value()?)),
            Arg::Long("from") => from = Some(PathBuf::from(parser.value()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            // The command begins: what follows is its own.
            Arg::Value(first) => {
                command.push(first);
                command.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected()),
        }
    }
    match (command.is_empty(), &from) {
        (true, None) => Err("nothing to record; give a command after --".into()),
        (false, Some(_)) => Err("a command or --from, not both".into()),
        (true, Some(_)) if trace.is_some() => Err("--trace needs a command".into()),
        _ => {
            apart([&output].into_iter().chain(&trace), [])?;
            Ok(Parsed::Task(Recording {
                command,
                from,
                output,
                trace,
            }))
        }
    }
}

fn help() -> String {
    format!(
        "Runs a program and records what it asks of `malloc`: how many blocks of each size, and how many
of them were live. The profile has numbers only, and `allocator-lab fit` reads it.

Usage: allocator-lab record [-o FILE] -- COMMAND…
       allocator-lab record [-o FILE] --from FOLDER

  -o FILE        where the profile goes (default: {DEFAULT_OUTPUT})
  --trace FILE   write every step of the largest process as well, 16 bytes each, at most 64 million; the
                 program takes about a quarter longer
  --from FOLDER  run nothing: read what programs keep there that were started with
                 ALLOCATOR_PROFILE=FOLDER, under librecording.so or with `stats = histogram` in
                 them, whether they have ended or not
  --help         print this
  --version      print the version

All processes of the command are added up, however they end, but those that gave up their environment, or the right
to write where it leads. SIGUSR2 to this program has it write what
there is so far. Exits as the command does; 1 if nothing was recorded or the file could not be written;
2 on wrong arguments.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Recording, String> {
        match parse(&mut Parser::from_args(arguments)) {
            Ok(Parsed::Task(recording)) => Ok(recording),
            Ok(Parsed::Print(_)) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_follows_the_command_is_its_own() {
        for arguments in [
            ["-o", "a.json", "--", "ls", "-o", "--help"].as_slice(),
            &["-o", "a.json", "ls", "-o", "--help"],
        ] {
            let recording = parsed(arguments).unwrap();
            assert_eq!(recording.command, ["ls", "-o", "--help"]);
            assert_eq!(recording.output, PathBuf::from("a.json"));
        }
    }

    #[test]
    fn mistakes_are_told_in_a_line() {
        for (arguments, part) in [
            (&["-o", "a.json"][..], "nothing to record"),
            (&["--from", "a", "--", "ls"], "not both"),
            (&["--from", "a", "--trace", "b"], "needs a command"),
            (&["--out", "a"], "invalid option"),
        ] {
            let message = parsed(arguments).unwrap_err();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
