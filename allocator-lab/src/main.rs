//! `allocator-lab`: see the library, and `--help`.

use allocator_lab::ab::instructions::Instructions;
use allocator_lab::ab::report::{AbReport, Outcome};
use allocator_lab::ab::side::{Named, Side};
use allocator_lab::ab::{self, session};
use allocator_lab::args::ab::Comparing as AbComparing;
use allocator_lab::args::explain;
use allocator_lab::args::fit::Fitting;
use allocator_lab::args::race::{Racing, Rows};
use allocator_lab::args::record::Recording;
use allocator_lab::args::report::Reporting;
use allocator_lab::args::scale::Asked;
use allocator_lab::args::{self, Comparing, Task};
use allocator_lab::contestants;
use allocator_lab::corpus::Corpus;
use allocator_lab::dispatch::Dispatch;
use allocator_lab::explain::Explanation;
use allocator_lab::fit::choice::{self, Advice, Choice, LEAST_ALLOCATIONS, LEAST_PEAK_BYTES, Run};
use allocator_lab::fit::histogram::Histogram;
use allocator_lab::fit::knobs::{self, Trial};
use allocator_lab::fit::{paste, text};
use allocator_lab::heading::Effort;
use allocator_lab::output::Output;
use allocator_lab::profile::{Profile, load::load};
use allocator_lab::programs::rows::Program;
use allocator_lab::programs::stage::{self, Stage};
use allocator_lab::progress::Progress;
use allocator_lab::race::build::{Built, Executables};
use allocator_lab::race::entrants::Entrant;
use allocator_lab::race::racer::Racer;
use allocator_lab::race::report::{EntrantReport, RaceReport};
use allocator_lab::race::rounds::{Course, Measured, Plan, Runs};
use allocator_lab::race::rows::Row;
use allocator_lab::record;
use allocator_lab::report::{Circumstances, Report};
use allocator_lab::rounds::{self, Limit};
use allocator_lab::scale::report::{ScaleReport, SeriesReport};
use allocator_lab::trace::{self, Trace};
use allocator_lab::webpage::history::History;
use allocator_lab::webpage::input::Input;
use allocator_lab::webpage::page::{Fitted, Page};
use allocator_lab::{child, programs, race, scale, statistics, table, tune};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static GLOBAL: Dispatch = Dispatch;

/// Where the order of a replay starts from.
const SEED: u64 = 1;

/// Exit code of a comparison that cannot tell.
const INCONCLUSIVE: u8 = 3;

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
        Task::Scale(asked) => scale(&asked, start),
        Task::Replay(path) => replay(&path),
        Task::Record(recording) => record(&recording),
        Task::Fit(fitting) => fit(fitting),
        Task::Explain(asked) => explain(asked),
        Task::Report(reporting) => report(reporting),
        Task::Ab(comparing) => compare_two(comparing, start),
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
    let json = Output::at(json)?;

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
    let plan = rounds::Plan {
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
    json.write(|file| file.write_json(&report))?;
    printed?;
    Ok(exit_code(report.has_failures()))
}

/// Runs the race, prints the tables and writes the files.
fn race(racing: Racing, start: Instant) -> Result<ExitCode, String> {
    let (json, svg) = (
        Output::at(racing.json.clone())?,
        Output::at(racing.svg.clone())?,
    );
    let report = match &racing.rows {
        Rows::Workloads(rows) => run_race(&racing, rows, start)?,
        Rows::Programs(rows) => run_programs(&racing, rows, start)?,
    };
    let (table, chart) = (race::table::render(&report), race::chart::render(&report));
    publish(json, svg, &report, &table, &chart)?;
    Ok(exit_code(report.has_failures_of_ours()))
}

/// Prints the tables and writes the files. Each is of use without the others.
fn publish(
    json: Output,
    svg: Output,
    report: &impl serde::Serialize,
    table: &str,
    chart: &str,
) -> Result<(), String> {
    let printed = print(table);
    let written = json.write(|file| file.write_json(report));
    svg.write(|file| file.write(chart))?;
    written?;
    printed
}

fn exit_code(has_failed: bool) -> ExitCode {
    if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Builds the entrants, runs the rounds and draws the conclusions.
fn run_race(racing: &Racing, rows: &[&'static Row], start: Instant) -> Result<RaceReport, String> {
    let entrants = racing.entrants.clone();
    let executables = build(&entrants)?;
    let described = entrants.iter();
    let described = described.map(|&entrant| EntrantReport::of(entrant, &executables));
    let described: Vec<EntrantReport> = described.collect::<Result<_, _>>()?;

    let (corpus, contents) = if rows.iter().any(|row| row.reads_corpus) {
        let (corpus, contents) = Corpus::collect(racing.size.race_corpus())?;
        (corpus, Some(contents))
    } else {
        (Corpus::default(), None)
    };
    let racer = Racer::new(&executables, racing.size, &corpus)?;
    let measured = run_rounds(racing, rows.to_vec(), entrants, &racer);
    let circumstances = race::report::Circumstances {
        seed: racing.seed,
        corpus: contents,
        reference: race::entrants::MIMALLOC,
        left_out: Vec::new(),
        seconds: start.elapsed().as_secs_f64(),
        resamples: statistics::RESAMPLES,
    };
    Ok(RaceReport::new(described, &measured, circumstances))
}

/// Finds and builds the shared objects, makes the programs' input, runs the
/// rounds and draws the conclusions.
fn run_programs(
    racing: &Racing,
    rows: &[&'static Program],
    start: Instant,
) -> Result<RaceReport, String> {
    let (objects, mut left_out) =
        with_build_shown(|watch| programs::entrants::objects(&racing.entrants, watch))?;
    let entrants = stage::present(&racing.entrants, &objects);
    let stage = Stage::new(rows, &objects, racing.size)?;
    left_out.extend_from_slice(stage.left_out());
    for one in &left_out {
        eprintln!("allocator-lab: {} is left out: {}", one.name, one.reason);
    }
    let rows: Vec<&Program> = rows.iter().copied().filter(|row| stage.has(row)).collect();
    if rows.is_empty() || entrants.is_empty() {
        return Err("nothing is left to race".to_owned());
    }
    let described = entrants.iter().copied().map(EntrantReport::undescribed);
    let described = described.collect();
    let measured = run_rounds(racing, rows, entrants, &stage);
    let circumstances = race::report::Circumstances {
        seed: racing.seed,
        corpus: None,
        reference: programs::entrants::MIMALLOC,
        left_out,
        seconds: start.elapsed().as_secs_f64(),
        resamples: statistics::RESAMPLES,
    };
    Ok(RaceReport::new(described, &measured, circumstances))
}

/// Runs the rounds that were asked for.
fn run_rounds<C: Course>(
    racing: &Racing,
    rows: Vec<&'static C>,
    entrants: Vec<&'static Entrant>,
    racer: &impl Runs<C>,
) -> Measured<C> {
    let end = racing.seconds.map(Duration::from_secs);
    let most_rounds = racing.rounds.unwrap_or(usize::MAX);
    let plan = Plan {
        rows,
        entrants,
        limit: Limit {
            least_rounds: end.map_or(most_rounds, |_| 1),
            most_rounds,
            end: end.map(|seconds| Instant::now() + seconds),
        },
        seed: racing.seed,
    };
    let progress = Progress::new(&plan.announcement());
    race::rounds::run(&plan, racer, |step| progress.show(&step))
}

/// Measures how cost grows, prints the tables and writes the files.
fn scale(asked: &Asked, start: Instant) -> Result<ExitCode, String> {
    let (json, svg) = (
        Output::at(asked.json.clone())?,
        Output::at(asked.svg.clone())?,
    );
    let report = run_scale(asked, start)?;
    let (table, chart) = (scale::table::render(&report), scale::chart::render(&report));
    publish(json, svg, &report, &table, &chart)?;
    Ok(exit_code(report.has_failures_of_ours()))
}

/// Builds the entrants, runs the rounds, counts, and draws the conclusions.
fn run_scale(asked: &Asked, start: Instant) -> Result<ScaleReport, String> {
    let scaling = &asked.scaling;
    let mut entrants: Vec<_> = scaling
        .series
        .iter()
        .flat_map(|series| series.entrants(&scaling.entrants))
        .collect();
    if asked.counts {
        entrants.extend(scale::counts::ENTRANTS);
    }
    let executables = build(&entrants)?;
    let measured = scale::rounds::run(scaling, &executables)?;
    let counts = if asked.counts {
        let (corpus, _) = Corpus::collect(scaling.size.race_corpus())?;
        let progress = Progress::new("counting the atomics of the default");
        scale::counts::run(&executables, scaling.size, &corpus, |step| {
            progress.show(&step);
        })?
    } else {
        Vec::new()
    };
    let circumstances = scale::report::Circumstances {
        effort: Effort {
            seed: scaling.seed,
            rounds: scaling.rounds,
            seconds: start.elapsed().as_secs_f64(),
        },
        resamples: statistics::RESAMPLES,
    };
    let mut series = Vec::new();
    for &one in &scaling.series {
        let entrants = one.entrants(&scaling.entrants).into_iter();
        let described: Result<Vec<EntrantReport>, String> = entrants
            .map(|entrant| EntrantReport::of(entrant, &executables))
            .collect();
        series.push(SeriesReport::of(one, described?, &measured, &circumstances));
    }
    Ok(ScaleReport::new(series, counts, &circumstances))
}

/// Runs a program, or reads what others left, and writes the profile.
fn record(recording: &Recording) -> Result<ExitCode, String> {
    let build = || build(&[&record::RECORDING]);
    record::session::record(recording, build).map(ExitCode::from)
}

/// Does the steps of a trace, and prints the sum that every allocator comes to.
fn replay(path: &Path) -> Result<ExitCode, String> {
    let trace = Trace::load(path)?;
    let sum = trace::replay::replay(&trace, trace::replay::times(&trace))?;
    print(&format!("{sum}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Fits size classes, prints them and writes the files.
fn fit(fitting: Fitting) -> Result<ExitCode, String> {
    let (json, classes) = (Output::at(fitting.json)?, Output::at(fitting.classes)?);
    let (wish, anyway) = (fitting.wish, fitting.anyway);
    let read = |paths: &[PathBuf], anyway| -> Result<Vec<Run>, String> {
        let runs = paths
            .iter()
            .map(|path| read_run(path, wish.quantum, anyway));
        runs.collect()
    };
    let training = read(&fitting.training, anyway)?;
    // What is only judged on may be small.
    let held_out = read(&fitting.held_out, true)?;
    // What is no trace is told before anything is printed.
    fitting.trace.as_deref().map(Trace::load).transpose()?;
    let choice = choice::choose(&training, &held_out, contestants::DEFAULT, wish)?;

    let printed = print(&text::render(&choice, wish));
    let trials = fitting
        .trace
        .map(|trace| try_options(&trace, &choice, &fitting.tried));
    // The classes are fitted, whatever becomes of the trials.
    let (trials, failed) = match trials.transpose() {
        Ok(trials) => (trials, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let fitted = WithTrials {
        format: "allocator-lab fit",
        version: 1,
        choice: &choice,
        trials,
    };
    let written = json.write(|file| file.write_json(&fitted));
    if choice.advice == Advice::Declare {
        let names: Vec<String> = training.into_iter().map(|run| run.name).collect();
        classes.write(|file| file.write(paste::class_file(&choice.classes, &names)))?;
    } else if let Some(path) = classes.path() {
        eprintln!(
            "allocator-lab: '{}' is not written: there are no classes to declare",
            path.display()
        );
    }
    written?;
    printed?;
    failed?;
    Ok(ExitCode::SUCCESS)
}

/// What is written of a fit.
#[derive(serde::Serialize)]
struct WithTrials<'a> {
    format: &'static str,
    version: u32,
    #[serde(flatten)]
    choice: &'a Choice,
    #[serde(skip_serializing_if = "Option::is_none")]
    trials: Option<Vec<Trial>>,
}

/// Tries values of the options beside the classes on a trace, and prints what is kept.
fn try_options(
    path: &Path,
    choice: &Choice,
    values: &[&'static str],
) -> Result<Vec<Trial>, String> {
    let classes = match choice.advice {
        Advice::Declare => format!("size_classes = {:?}", choice.classes),
        _ => String::new(),
    };
    let progress = Progress::new("trying the other options under a replay");
    let trials = tune::tune(path, &classes, values, None, |_, step| progress.show(step))?;
    drop(progress);
    print(&format!("\n{}", knobs::render(&trials)))?;
    Ok(trials)
}

/// Reads a profile. One that tells little is refused, unless it is wanted anyway.
fn read_run(path: &Path, quantum: usize, anyway: bool) -> Result<Run, String> {
    let profile = load(path)?;
    let (allocations, peak_bytes) = (profile.allocations(), profile.peak_bytes());
    if !anyway && (allocations < LEAST_ALLOCATIONS || peak_bytes < LEAST_PEAK_BYTES) {
        return Err(format!(
            "'{}' tells too little: {allocations} allocations, {:.1} MiB at the peak (at least \
             {LEAST_ALLOCATIONS} and {} MiB; --anyway fits to it)",
            path.display(),
            peak_bytes as f64 / f64::from(1 << 20),
            LEAST_PEAK_BYTES >> 20
        ));
    }
    Ok(run_of(path, &profile, quantum))
}

fn run_of(path: &Path, profile: &Profile, quantum: usize) -> Run {
    Run {
        name: path.display().to_string(),
        histogram: Histogram::of(profile, quantum),
        threads: profile.threads,
    }
}

/// Puts profiles and sessions on a page.
fn report(reporting: Reporting) -> Result<ExitCode, String> {
    let output = Output::at(Some(reporting.output))?;
    let json = Output::at(reporting.json)?;
    let wish = reporting.wish;
    let (mut training, mut sessions) = (Vec::new(), Vec::new());
    let mut trace = None;
    for path in &reporting.files {
        match Input::load(path)? {
            Input::Profile(profile) => training.push(run_of(path, &profile, wish.quantum)),
            Input::Session(session) => sessions.push((path.display().to_string(), *session)),
            Input::Trace(_) if trace.is_some() => {
                return Err("more than one trace; memory over time is of one".to_owned());
            }
            Input::Trace(read) => trace = Some((path.display().to_string(), read)),
        }
    }
    // What is only looked at may be small.
    let held_out = reporting.held_out.iter();
    let held_out = held_out.map(|path| read_run(path, wish.quantum, true));
    let held_out: Vec<Run> = held_out.collect::<Result<_, _>>()?;
    if training.is_empty() && !held_out.is_empty() {
        return Err("profiles are held out, and none is there to fit to".to_owned());
    }
    let progress = Progress::quiet();
    let show = |done| progress.show_part("replaying", done);
    let (name, history) = match (&trace, training.first()) {
        (Some((name, trace)), _) => (Some(name), History::of_trace(trace, show)),
        (None, Some(run)) => (Some(&run.name), History::of(&run.histogram, SEED, show)),
        (None, None) => (None, None),
    };
    if let (Some(name), None) = (name, &history) {
        eprintln!(
            "allocator-lab: '{name}': no memory over time; no block of it is live in a class, or there is no room for them"
        );
    }
    let history = name.cloned().zip(history);
    let fitted = match training.is_empty() {
        true => None,
        false => Some(Fitted {
            choice: choice::choose(&training, &held_out, contestants::DEFAULT, wish)?,
            training,
            held_out,
            wish,
        }),
    };
    let page = Page {
        default: contestants::DEFAULT,
        history,
        fitted,
        sessions,
    };
    output.write(|file| file.write(page.render()))?;
    json.write(|file| file.write_json(&page.json()))?;
    Ok(ExitCode::SUCCESS)
}

/// Says what becomes of requests.
fn explain(asked: explain::Asked) -> Result<ExitCode, String> {
    let json = Output::at(asked.json)?;
    let explanation = Explanation::new(asked.contestant, &asked.requests);
    let explanation = explanation.ok_or("the classes of that one are not known")?;
    json.write(|file| file.write_json(&explanation))?;
    print(&explanation.render())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a session of two, prints what it says and writes the JSON.
fn compare_two(comparing: AbComparing, start: Instant) -> Result<ExitCode, String> {
    let json = Output::at(comparing.json)?;
    let prepare = |named: &Named| named.prepare(&comparing.command, comparing.timeout_seconds);
    let words = comparing.command.iter().map(|word| word.to_string_lossy());
    let command = words.collect::<Vec<_>>().join(" ");
    let building = Progress::new("finding A and B, and building what must be built");
    let (a, b) = (prepare(&comparing.a)?, prepare(&comparing.b)?);
    drop(building);
    let plan = session::Plan {
        sides: [a.copy()?, a.copy()?, b.copy()?],
        name: match command.as_str() {
            "" => "the commands".to_owned(),
            command => command.to_owned(),
        },
        most_rounds: comparing.most_rounds,
        repeats: comparing.repeats,
        seed: comparing.seed,
    };
    let progress = Progress::new(&format!("A against B, up to {} rounds", plan.most_rounds));
    let measured = session::run(&plan, |step| progress.show(&step))?;
    drop(progress);
    let instructions = match comparing.instructions {
        true => count_instructions(&plan.sides)?,
        false => None,
    };

    let circumstances = ab::report::Circumstances {
        a: comparing.a.label(),
        b: comparing.b.label(),
        command,
        seed: comparing.seed,
        seconds: start.elapsed().as_secs_f64(),
        instructions,
    };
    let report = AbReport::new(measured, circumstances);
    let printed = print(&ab::text::render(&report));
    json.write(|file| file.write_json(&report))?;
    printed?;
    Ok(match report.outcome {
        Outcome::Better | Outcome::Same => ExitCode::SUCCESS,
        Outcome::Worse => ExitCode::FAILURE,
        Outcome::Inconclusive => ExitCode::from(INCONCLUSIVE),
    })
}

/// Runs A and B once more, under valgrind. That it is missing is said, and no failure.
fn count_instructions(sides: &[Side; 3]) -> Result<Option<Instructions>, String> {
    let [a, _, b] = sides;
    let _progress = Progress::new("counting instructions");
    let instructions = Instructions::count(a, b)?;
    if instructions.is_none() {
        eprintln!("allocator-lab: no valgrind: instructions are not counted");
    }
    Ok(instructions)
}

/// Has the executables of these entrants built.
fn build(entrants: &[&'static Entrant]) -> Result<Executables, String> {
    with_build_shown(|watch| race::build::build(entrants, watch))
}

/// Shows how far a build is.
fn with_build_shown<T>(build: impl FnOnce(&mut dyn FnMut(Built)) -> T) -> T {
    let progress = Progress::new("building the entrants");
    build(&mut |built| progress.show_built(built.name, built.done))
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
