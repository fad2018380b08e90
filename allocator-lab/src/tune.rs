//! The options beside the classes, tried on a trace: each as a declaration that is built, under a replay,
//! against what was kept so far, by the protocol of `ab`.

use crate::ab::report::{AbReport, Circumstances, Outcome};
use crate::ab::session::{self, Metric, Plan};
use crate::ab::side::Named;
use crate::fit::knobs::{Trial, kept, with};
use crate::rounds::Step;
use std::ffi::OsString;
use std::path::Path;

/// Seconds that a replay may take.
const TIMEOUT_SECONDS: u32 = 600;

/// Rounds of a trial. That decides what is clear; what is not stays as it is.
const ROUNDS: usize = 10;

/// Tries these values, one after the other. `base` is the options that are there in any case; `watch` is told of
/// each step.
///
/// # Errors
/// What stands in the way, in a line.
pub fn tune(
    trace: &Path,
    base: &str,
    values: &[&'static str],
    repeats: Option<usize>,
    mut watch: impl FnMut(&'static str, &Step),
) -> Result<Vec<Trial>, String> {
    let program = std::env::current_exe().map_err(|error| format!("no replay: {error}"))?;
    let command = [
        program.into_os_string(),
        OsString::from("replay"),
        trace.as_os_str().to_owned(),
    ];
    let declared = |options: &[&str]| {
        let options: Vec<&str> = [base].into_iter().chain(options.iter().copied()).collect();
        let options: Vec<&str> = options.into_iter().filter(|it| !it.is_empty()).collect();
        Named::Declared(options.join(", "))
    };
    let mut trials: Vec<Trial> = Vec::new();
    for &value in values {
        let before = kept(&trials);
        let (a, b) = (declared(&before), declared(&with(&before, value)));
        let side = |named: &Named| named.prepare(&command, TIMEOUT_SECONDS);
        let (side_a, side_b) = (side(&a)?, side(&b)?);
        let plan = Plan {
            sides: [side_a.copy()?, side_a.copy()?, side_b.copy()?],
            name: value.to_owned(),
            most_rounds: ROUNDS,
            repeats,
            seed: 1,
        };
        let measured = session::run(&plan, |step| watch(value, &step))?;
        let report = AbReport::new(
            measured,
            Circumstances {
                a: a.label(),
                b: b.label(),
                command: "replay".to_owned(),
                seed: plan.seed,
                seconds: 0.0,
                instructions: None,
            },
        );
        trials.push(Trial {
            value,
            cpu_ratio: report.ratio(Metric::Cpu),
            memory_ratio: report.ratio(Metric::PeakRss),
            kept: report.outcome == Outcome::Better && !report.output_differs,
        });
    }
    Ok(trials)
}
