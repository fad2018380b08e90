//! The files of a recorded run, added up.

use crate::profile::{Counts, Profile, Request};
use allocator_core::__private::{Profile as Recorded, profile_of_file};
use std::fs;
use std::path::Path;

/// What a run asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// One run's, whatever the number of its processes.
    pub profile: Profile,
    /// Processes that allocated.
    pub processes: usize,
    /// Files that are no records.
    pub unreadable: usize,
}

/// Adds up the records in a folder, of processes that have ended or have not.
///
/// Blocks live at the peak are those of each process at its own: together, at least what was live at once.
///
/// # Errors
/// What stands in the way, in a line.
pub fn gather(folder: &Path) -> Result<Gathered, String> {
    let cannot = |error| format!("cannot read '{}': {error}", folder.display());
    let mut gathered = Gathered::default();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let Some(recorded) = profile_of_file(&path) else {
            gathered.unreadable += 1;
            continue;
        };
        let profile = profile_of(&recorded)?;
        if profile.allocations() > 0 {
            gathered.processes += 1;
            gathered.profile.merge(&profile);
        }
    }
    gathered.profile.runs = 1;
    Ok(gathered)
}

/// One process's.
fn profile_of(recorded: &Recorded) -> Result<Profile, String> {
    let rows = recorded.rows().iter().map(|row| {
        let request = Request {
            size: row.size,
            align: row.align,
        };
        let counts = Counts {
            allocations: row.allocations,
            live_at_peak: row.live_at_peak,
            live_mean_thousandths: row.live_mean_thousandths,
        };
        (request, counts)
    });
    let profile = Profile::of_run(recorded.threads(), rows);
    profile.map_err(|(_, mistake)| format!("a record makes no sense: {mistake}"))
}

impl Gathered {
    /// What was seen, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let processes = match self.processes {
            1 => "1 process".to_owned(),
            number => format!("{number} processes"),
        };
        let threads = match self.profile.threads {
            1 => "1 thread".to_owned(),
            number => format!("{number} threads"),
        };
        let peak = match self.processes {
            1 => "at the peak",
            _ => "at their peaks, added up",
        };
        let others = match self.unreadable {
            0 => String::new(),
            1 => "; 1 file is no record".to_owned(),
            number => format!("; {number} files are no records"),
        };
        format!(
            "{processes}, {threads}, {} allocations of {} sizes, {:.1} MiB {peak}{others}",
            self.profile.allocations(),
            self.profile.requests.len(),
            self.profile.peak_bytes() as f64 / f64::from(1 << 20),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_counted_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.0.counts"), "short").unwrap();
        let gathered = gather(folder.path()).unwrap();
        assert_eq!((gathered.processes, gathered.unreadable), (0, 1));
        assert!(gathered.summary().ends_with("; 1 file is no record"));
        let mistake = gather(&folder.path().join("nowhere")).unwrap_err();
        assert!(mistake.contains("cannot read") && !mistake.contains('\n'));
    }
}
