//! From the command line to the profile.

use super::gather::gather;
use super::run::{Folders, code, folder, run};
use super::{RECORDING, unrecorded};
use crate::args::record::Recording;
use crate::output::Output;
use crate::profile::json;
use crate::race::build::Executables;
use crate::trace;
use std::path::Path;

/// Runs a program, or reads what others left, and writes the profile; what was seen is said on standard error.
/// The exit code is the program's. `build` makes the object that records.
///
/// # Errors
/// What stands in the way, in a line.
pub fn record(
    recording: &Recording,
    build: impl FnOnce() -> Result<Executables, String>,
) -> Result<u8, String> {
    let output = Output::at(Some(recording.output.clone()))?;
    let write = |folder: &Path| -> Result<bool, String> {
        let gathered = gather(folder)?;
        if gathered.processes == 0 {
            return Ok(false);
        }
        output.write(|file| file.write(json::write(&gathered.profile)))?;
        say(&format!(
            "{}: {}",
            recording.output.display(),
            gathered.summary()
        ));
        Ok(true)
    };
    let Some(program) = recording.command.first() else {
        let folder = recording.from.as_deref().unwrap_or(Path::new("."));
        return match write(folder)? {
            true => Ok(0),
            false => Err(format!("there is no record in '{}'", folder.display())),
        };
    };
    let trace = Output::at(recording.trace.clone())?;
    let objects = build()?;
    let object = objects.get(RECORDING.executable);
    let object = object.ok_or("the object that records was not built")?;
    let (counts, steps) = (folder()?, folder()?);
    let folders = Folders {
        counts: counts.path(),
        steps: trace.path().map(|_| steps.path()),
    };
    let so_far = || {
        if let Err(error) = write(counts.path()) {
            say(&error);
        }
    };
    let status = run(&recording.command, object, folders, so_far)?;
    if !write(counts.path())? {
        return Err(unrecorded::why(program, status));
    }
    if trace.path().is_some() {
        let gathered = trace::gather::gather(steps.path())?;
        trace.write(|file| file.write(gathered.trace.to_bytes()))?;
        say(&gathered.summary());
    }
    Ok(code(status))
}

fn say(line: &str) {
    eprintln!("allocator-lab: {line}");
}
