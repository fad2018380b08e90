//! The command line of `explain`.

use super::{Parsed, version};
use crate::contestants::{self, CONTESTANTS, Contestant};
use crate::explain::Request;
use lexopt::{Arg, Parser, ValueExt};
use std::path::PathBuf;

/// What to explain.
pub struct Asked {
    /// Whose classes.
    pub contestant: &'static Contestant,
    /// The requests.
    pub requests: Vec<Request>,
    /// Where the JSON goes.
    pub json: Option<PathBuf>,
}

/// Reads the arguments after `explain`.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(parser: &mut Parser) -> Result<Parsed<Asked>, lexopt::Error> {
    let (mut name, mut json) = ("default".to_owned(), None);
    let mut requests = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(text) => requests.push(Request::parse(&text.string()?)?),
            Arg::Long("of") => name = parser.value()?.string()?,
            Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Print(help())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Print(version())),
            other => return Err(other.unexpected()),
        }
    }
    if requests.is_empty() {
        return Err("nothing to explain; name sizes, such as 24 or 100:64".into());
    }
    let contestant = contestants::by_name(&name).filter(|it| it.config.is_some());
    let Some(contestant) = contestant else {
        return Err(format!("unknown declaration '{name}' (there are {})", names()).into());
    };
    Ok(Parsed::Task(Asked {
        contestant,
        requests,
        json,
    }))
}

/// Those whose classes are known.
fn names() -> String {
    let declared = CONTESTANTS.iter().filter(|it| it.config.is_some());
    let names: Vec<&str> = declared.map(|it| it.name).collect();
    names.join(", ")
}

fn help() -> String {
    format!(
        "Says what becomes of a request: its class, the part of the block that is left over, the page
and its blocks, and how many of them a thread keeps in hand.

Usage: allocator-lab explain SIZE[:ALIGN]… [options]

  --of NAME    in the classes of NAME (default: default): {}
  --json FILE  write it to FILE as JSON, too
  --help       print this
  --version    print the version

Exits 0; 1 if the file could not be written; 2 on wrong arguments.
",
        names()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_in_a_line() {
        let mistakes: [(&[&str], &str); 4] = [
            (&[], "nothing to explain"),
            (&["x"], "'x' is no request"),
            (
                &["24", "--of", "System"],
                "unknown declaration 'System' (there are stock",
            ),
            (&["24", "--off", "x"], "invalid option"),
        ];
        for (arguments, part) in mistakes {
            let message = parse(&mut Parser::from_args(arguments))
                .err()
                .unwrap()
                .to_string();
            assert!(
                message.contains(part) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
