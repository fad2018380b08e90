//! The whole program of an entrant of the race or the scale: an executable of its own, so
//! that its global allocator is as in any program, inlined where it can be.

use crate::child;
use crate::race::rows::{ROWS, Row};
use crate::scale::points::Point;
use crate::traffic::Traffic;
use crate::workloads::scaled::NewTurn;
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

/// Runs a row of the race or a point of the scale, or describes the entrant, as the arguments say:
/// `--row NAME [--quick]`, `--point NAME [--quick]`, either with `--count` to have it counted, or
/// `--describe`.
#[must_use]
pub fn main(name: &str, config: Option<&Config>) -> ExitCode {
    main_with_types(name, config, &[])
}

/// The same in a program that has declared types, of which the points of the scale take as many as
/// they are for.
#[must_use]
pub fn main_with_types(name: &str, config: Option<&Config>, types: &[NewTurn]) -> ExitCode {
    match answer(name, config, types) {
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

fn answer(name: &str, config: Option<&Config>, types: &[NewTurn]) -> Result<String, String> {
    let mut parser = Parser::from_env();
    let (mut row, mut point, mut size, mut is_counted) = (None, None, Size::Full, false);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Long("row") => row = Some(value(&mut parser)?),
            Arg::Long("point") => point = Some(value(&mut parser)?),
            Arg::Long("quick") => size = Size::Quick,
            Arg::Long("count") => is_counted = true,
            Arg::Long("describe") => return describe(config),
            other => return Err(other.unexpected().to_string()),
        }
    }
    match (row, point) {
        (Some(row), None) => run_row(name, &row, size, is_counted),
        (None, Some(point)) => run_point(name, &point, size, is_counted, types),
        _ => Err("an entrant is run by `allocator-lab race` or `scale`".to_owned()),
    }
}

fn run_row(name: &str, row: &str, size: Size, is_counted: bool) -> Result<String, String> {
    let row = Row::by_name(row).ok_or(format!("no row `{row}` among {}", ROWS.len()))?;
    let workload = RACE.iter().find(|workload| workload.name == row.workload);
    let workload = workload.ok_or("every row is of a workload")?;
    if is_counted {
        child::count(name, workload, size, row.heap)
    } else {
        child::measure(name, workload, size, row.heap)
    }
}

fn run_point(
    name: &str,
    point: &str,
    size: Size,
    is_counted: bool,
    types: &[NewTurn],
) -> Result<String, String> {
    let point = Point::by_name(point).ok_or(format!("no point `{point}`"))?;
    if is_counted {
        child::observe(name, || {
            let ((checksum, _), traffic) = Traffic::of(|| point.run(size, types))?;
            Ok((checksum, traffic))
        })
    } else {
        child::observe(name, || Ok(point.run(size, types)))
    }
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
