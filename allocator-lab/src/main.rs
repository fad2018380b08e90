//! `allocator-lab`: see the library, and `--help`.

use allocator_lab::args::{self, Comparing, Task};
use allocator_lab::corpus::Corpus;
use allocator_lab::dispatch::Dispatch;
use allocator_lab::json_file::JsonFile;
use allocator_lab::progress::Progress;
use allocator_lab::report::{Circumstances, Report};
use allocator_lab::rounds::{self, Limit, Plan};
use allocator_lab::{child, statistics, table};
use std::io::{self, Write};
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
        .map(JsonFile::at)
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
    let progress = Progress::new(&plan);
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
        file.write(&report).map_err(cannot_write)?;
    }
    printed?;
    Ok(if report.has_failures() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
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
