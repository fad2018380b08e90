//! `allocator-lab`: see the library, and `--help`.

use allocator_lab::args::race::Racing;
use allocator_lab::args::{self, Comparing, Task};
use allocator_lab::corpus::Corpus;
use allocator_lab::dispatch::Dispatch;
use allocator_lab::output_file::OutputFile;
use allocator_lab::progress::Progress;
use allocator_lab::race::report::{EntrantReport, RaceReport};
use allocator_lab::report::{Circumstances, Report};
use allocator_lab::rounds::{self, Limit, Plan};
use allocator_lab::{child, race, statistics, table};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static GLOBAL: Dispatch = Dispatch;

/// Exit code of a command line that makes no sense.
const WRONG_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    let start = Instant::now();
    let task = match args::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("allocator-lab: {error}; see --help");
            return ExitCode::from(WRONG_ARGUMENTS);
        }
    };
    let done = match task {
        Task::Print(text) => print(&text).map(|()| ExitCode::SUCCESS),
        Task::Child { workload, size } => child::run(workload, size)
            .and_then(|sample| print(&format!("{sample}\n")))
            .map(|()| ExitCode::SUCCESS),
        Task::Compare(comparing) => compare(comparing, start),
        Task::Race(racing) => race(racing, start),
    };
    done.unwrap_or_else(|error| {
        eprintln!("allocator-lab: {error}");
        ExitCode::FAILURE
    })
}

/// Runs the comparison, prints the table and writes the JSON.
fn compare(comparing: Comparing, start: Instant) -> Result<ExitCode, String> {
    let Comparing {
        workloads,
        size,
        rounds,
        seconds,
        seed,
        json,
    } = comparing;
    let name = json.as_deref().unwrap_or("".as_ref()).display();
    let cannot_write = |error| format!("cannot write '{name}': {error}");
    // Before the long run, so that a wrong path does not waste it.
    let json_file = json
        .as_deref()
        .map(OutputFile::at)
        .transpose()
        .map_err(cannot_write)?;

    let (corpus, contents) = if workloads.iter().any(|workload| workload.reads_corpus) {
        let (corpus, contents) = Corpus::collect(size.corpus())?;
        (corpus, Some(contents))
    } else {
        (Corpus::default(), None)
    };
    let most_rounds = rounds.unwrap_or(usize::MAX);
    let least_rounds = if seconds.is_some() {
        statistics::MIN_ROUNDS.min(most_rounds)
    } else {
        most_rounds
    };
    let end = seconds.map(|seconds| start + Duration::from_secs(seconds));
    let plan = Plan {
        workloads,
        size,
        limit: Limit {
            least_rounds,
            most_rounds,
            end,
        },
        seed,
    };
    let progress = Progress::new(&plan.announcement());
    let measured = rounds::run(&plan, &corpus, |step| progress.show(&step))?;
    drop(progress);

    let circumstances = Circumstances {
        seed,
        corpus: contents,
        seconds: start.elapsed().as_secs_f64(),
    };
    let report = Report::new(&measured, circumstances);
    // Each is of use without the other.
    let printed = print(&table::render(&report));
    if let Some(file) = json_file {
        file.write_json(&report).map_err(cannot_write)?;
    }
    printed?;
    Ok(if report.has_failures() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs the race, prints the tables and writes the files.
fn race(racing: Racing, start: Instant) -> Result<ExitCode, String> {
    let output_file = |path: Option<&Path>| path.map(OutputFile::at).transpose();
    let cannot_write = |path: &Option<PathBuf>, error: io::Error| {
        let name = path.as_deref().unwrap_or("".as_ref()).display();
        format!("cannot write '{name}': {error}")
    };
    // Before the long run, so that a wrong path does not waste it.
    let json_file =
        output_file(racing.json.as_deref()).map_err(|it| cannot_write(&racing.json, it))?;
    let svg_file =
        output_file(racing.svg.as_deref()).map_err(|it| cannot_write(&racing.svg, it))?;

    let report = run_race(&racing, start)?;
    // Each is of use without the others.
    let printed = print(&race::table::render(&report));
    let json = json_file.map_or(Ok(()), |file| file.write_json(&report));
    let svg = svg_file.map_or(Ok(()), |file| file.write(&race::chart::render(&report)));
    json.map_err(|error| cannot_write(&racing.json, error))?;
    svg.map_err(|error| cannot_write(&racing.svg, error))?;
    printed?;
    Ok(if report.has_failures_of_ours() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Builds the entrants, runs the rounds and draws the conclusions.
fn run_race(racing: &Racing, start: Instant) -> Result<RaceReport, String> {
    let (entrants, rows) = (racing.entrants.clone(), racing.rows.clone());
    let progress = Progress::new("building the entrants of the race");
    let executables = race::build::build(&entrants, |built| {
        progress.show_built(built.name, built.done);
    })?;
    drop(progress);
    let described = entrants.iter();
    let described = described.map(|&entrant| EntrantReport::of(entrant, &executables));
    let described: Vec<EntrantReport> = described.collect::<Result<_, _>>()?;

    let (corpus, contents) = if rows.iter().any(|row| row.reads_corpus) {
        let (corpus, contents) = Corpus::collect(racing.size.race_corpus())?;
        (corpus, Some(contents))
    } else {
        (Corpus::default(), None)
    };
    let end = racing.seconds.map(Duration::from_secs);
    let most_rounds = racing.rounds.unwrap_or(usize::MAX);
    let plan = race::rounds::Plan {
        rows,
        entrants,
        size: racing.size,
        limit: Limit {
            least_rounds: end.map_or(most_rounds, |_| 1),
            most_rounds,
            end: end.map(|seconds| Instant::now() + seconds),
        },
        seed: racing.seed,
    };
    let progress = Progress::new(&plan.announcement());
    let measured = race::rounds::run(&plan, &executables, &corpus, |step| progress.show(&step))?;
    drop(progress);
    let circumstances = race::report::Circumstances {
        seed: racing.seed,
        corpus: contents,
        seconds: start.elapsed().as_secs_f64(),
        resamples: statistics::RESAMPLES,
    };
    Ok(RaceReport::new(described, &measured, circumstances))
}

/// Writes to standard output. That nobody reads it to the end (`| head`) is no error.
fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}
