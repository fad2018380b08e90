//! `cargo run --profile test-release -p allocator-tests --bin matrix`: what happens at each level of hardening
//! when a program makes a mistake, or the machine fails it. The status is 1 if anything is not as it must be.
//!
//! `--markdown` prints the README's table; `--only ROW` and `--level LEVEL` run a part, which is then named check
//! by check; `--times N` runs everything so often.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use allocator_tests::matrix::check::{Check, Programs};
use allocator_tests::matrix::table::{Results, markdown, marks};
use allocator_tests::matrix::{LEVELS, Level, rows};

/// What the arguments ask for.
#[derive(Default)]
struct Options {
    markdown: bool,
    only: Option<String>,
    level: Option<String>,
    times: usize,
}

impl Options {
    fn parse() -> Result<Self, String> {
        let mut options = Self {
            times: 1,
            ..Self::default()
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--markdown" => options.markdown = true,
                "--only" => options.only = Some(value()?),
                "--level" => options.level = Some(value()?),
                "--times" => {
                    options.times = value()?.parse().map_err(|_| "how many times?")?;
                }
                _ => return Err(format!("{argument} is not known")),
            }
        }
        let is_level = |name: &String| LEVELS.iter().any(|level| level.name() == name);
        match &options.level {
            Some(level) if !is_level(level) => Err(format!("there is no level {level}")),
            _ => Ok(options),
        }
    }

    fn wants(&self, level: Level) -> bool {
        self.level.as_ref().is_none_or(|name| level.name() == name)
    }
}

/// Has the other programs of this package built as this one was.
fn build_programs() {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "test-release"
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline", "--profile", profile]);
    cargo.args(["-p", "allocator-tests", "--bins"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = cargo.status().expect("cargo can be run");
    assert!(status.success(), "the programs can be built");
}

/// Runs checks on all cores, each in its turn; what came of them, in their order.
fn run(checks: &[&Check], times: usize, programs: &Programs) -> Vec<Result<(), String>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![Ok(()); checks.len()]);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    // Relaxed: a number for each.
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(check) = checks.get(at) else { return };
                    let result = (0..times).try_for_each(|_| check.run(programs));
                    results.lock().expect("no panic")[at] = result;
                }
            });
        }
    });
    results.into_inner().expect("no panic")
}

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(mistake) => {
            eprintln!("{mistake}; --markdown, --only ROW, --level LEVEL, --times N");
            return ExitCode::from(2);
        }
    };
    build_programs();
    let program = std::env::current_exe().expect("the program's path");
    let folder = program.parent().expect("it is in a folder");
    let temporary = folder.parent().unwrap_or(Path::new(".")).join("tmp");
    let programs = Programs::find(folder, &temporary);
    let rows = rows(&programs);
    let wanted = rows.iter().filter(|row| {
        let only = options.only.as_ref();
        only.is_none_or(|only| row.id.eq_ignore_ascii_case(only))
    });
    let mut all = Vec::new();
    for row in wanted {
        let cells = LEVELS.map(|level| {
            options.wants(level).then(|| {
                let checks: Vec<_> = row.checks(level).collect();
                let results = run(&checks, options.times, &programs);
                if options.only.is_some() || options.level.is_some() {
                    for (check, result) in checks.iter().zip(&results) {
                        let is_well = if result.is_ok() { "" } else { "FAILS: " };
                        println!("{is_well}{check}: {}", check.end().mark());
                    }
                }
                checks.into_iter().zip(results).collect()
            })
        });
        let results = Results { row, cells };
        for (level, cell) in LEVELS.iter().zip(&results.cells) {
            let Some(cell) = cell else { continue };
            eprintln!("{} {}: {}", row.id, level.name(), marks(cell));
            for (check, result) in cell {
                if let Err(how) = result {
                    eprintln!("  {check}\n    {}", how.replace('\n', "\n    "));
                }
            }
        }
        all.push(results);
    }
    if all.is_empty() {
        eprintln!("there is no such row");
        return ExitCode::from(2);
    }
    println!("{}", markdown(&all));
    let cells = all
        .iter()
        .flat_map(|results| results.cells.iter().flatten());
    let fails = cells.flatten().any(|(_, result)| result.is_err());
    ExitCode::from(u8::from(fails))
}
