//! The whole program of an entrant of the race: an executable of its own, so
//! that its global allocator is as in any program, inlined where it can be.

use crate::child;
use crate::race::rows::{ROWS, Row};
use crate::workloads::{RACE, Size};
use allocator_core::Config;
use lexopt::{Arg, Parser, ValueExt};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// What an entrant says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The attribute that declares it, if it is a declared one.
    pub declaration: Option<String>,
    /// Equal for equal choices, whatever the name: sixteen hexadecimal digits.
    pub fingerprint: Option<String>,
}

/// Runs one row of the race, or describes the entrant, as the arguments say:
/// `--row NAME [--quick]`, or `--describe`.
#[must_use]
pub fn main(name: &str, config: Option<&Config>) -> ExitCode {
    match answer(name, config) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer(name: &str, config: Option<&Config>) -> Result<String, String> {
    let mut parser = Parser::from_env();
    let (mut row, mut size) = (None, Size::Full);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Long("row") => row = Some(value(&mut parser)?),
            Arg::Long("quick") => size = Size::Quick,
            Arg::Long("describe") => return describe(config),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let row = row.ok_or("an entrant is run by `allocator-lab race`")?;
    let row = Row::by_name(&row).ok_or(format!("no row `{row}` among {}", ROWS.len()))?;
    let workload = RACE.iter().find(|workload| workload.name == row.workload);
    let workload = workload.ok_or("every row is of a workload")?;
    child::measure(name, workload, size, row.heap)
}

fn value(parser: &mut Parser) -> Result<String, String> {
    let value = parser.value().and_then(|value| value.string());
    value.map_err(|error| error.to_string())
}

fn describe(config: Option<&Config>) -> Result<String, String> {
    let description = Description {
        declaration: config.map(ToString::to_string),
        fingerprint: config.map(|config| format!("{:016x}", config.fingerprint())),
    };
    serde_json::to_string(&description).map_err(|error| error.to_string())
}
