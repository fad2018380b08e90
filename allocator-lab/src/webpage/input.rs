//! What the files of a page hold: profiles, traces, and sessions of A and B.

use crate::ab::instructions::Instructions;
use crate::profile::{Profile, csv, json};
use crate::trace::Trace;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// One file.
#[derive(Debug)]
pub enum Input {
    /// What a program asked for.
    Profile(Profile),
    /// What it did with its blocks, step by step.
    Trace(Trace),
    /// What `ab --json` wrote.
    Session(Box<Session>),
}

/// A session of A and B, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// What A is.
    pub a: String,
    /// What B is.
    pub b: String,
    /// What was run under them.
    pub command: String,
    /// Rounds until all was decided.
    pub rounds: usize,
    /// Runs of each sample.
    pub repeats: usize,
    /// What is said of both metrics that decide.
    pub outcome: String,
    /// By metric.
    pub metrics: Vec<Metric>,
    /// Instructions of a run, if they were counted.
    #[serde(default)]
    pub instructions: Option<Instructions>,
}

/// One metric of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Whether it decides.
    pub decides: bool,
    /// What A typically takes.
    pub a: f64,
    /// What B typically takes.
    pub b: f64,
    /// B to A.
    #[serde(flatten)]
    pub ratio: Interval,
    /// What may be said.
    pub verdict: Verdict,
    /// A's copy to A.
    pub control: Interval,
}

/// A ratio and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The ratio.
    pub ratio: f64,
    /// Its lower end.
    pub low: f64,
    /// Its upper end; `None` where there is none.
    pub high: Option<f64>,
}

/// What may be said of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// `better`, `worse`, `same`, `inconclusive` or `withheld`.
    pub word: String,
    /// Rounds that are missing, where it is inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_rounds: Option<u32>,
}

/// What every JSON begins with.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

/// What `ab --json` says that it is.
const SESSION_FORMAT: &str = "allocator-lab ab";

/// The version of it that is known.
const SESSION_VERSION: u64 = 1;

impl Input {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong, in a line with the file's name.
    pub fn load(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let bytes = fs::read(path).map_err(|error| format!("cannot read '{name}': {error}"))?;
        if Trace::is_one(&bytes) {
            let trace = Trace::from_bytes(&bytes);
            return trace
                .map(Self::Trace)
                .map_err(|mistake| format!("'{name}': {mistake}"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| format!("'{name}' is not a text"))?;
        Self::read(text).map_err(|mistake| format!("'{name}': {mistake}"))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, in a line.
    pub fn read(text: &str) -> Result<Self, String> {
        if csv::is_one(text) {
            return csv::read(text).map(Self::Profile);
        }
        // What is no JSON, and what says nothing of itself, is told as of a profile.
        match serde_json::from_str(text) {
            Ok(Head { format, version }) if format == SESSION_FORMAT => {
                session(text, version).map(|it| Self::Session(Box::new(it)))
            }
            _ => json::read(text).map(Self::Profile),
        }
    }
}

fn session(text: &str, version: u64) -> Result<Session, String> {
    if version != SESSION_VERSION {
        return Err(format!(
            "it is a session of version {version}; this program reads version {SESSION_VERSION}"
        ));
    }
    let session: Session =
        serde_json::from_str(text).map_err(|error| format!("it is not a session: {error}"))?;
    let is_ratio = |ratio: f64| ratio.is_finite() && ratio >= 0.0;
    for metric in &session.metrics {
        for interval in [metric.ratio, metric.control] {
            let ends = [
                interval.ratio,
                interval.low,
                interval.high.unwrap_or(interval.ratio),
            ];
            if !ends.into_iter().all(is_ratio) || ends[0] == 0.0 {
                return Err(format!(
                    "it is not a session: {:?} has no ratio",
                    metric.name
                ));
            }
        }
    }
    Ok(session)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ab::report::{AbReport, Circumstances};
    use crate::ab::session::tests::measured;

    /// The JSON of a session whose B takes `effect` of A's memory.
    pub(crate) fn session_text(effect: f64) -> String {
        let circumstances = Circumstances {
            a: "default".to_owned(),
            b: "size_classes = [8, <16>]".to_owned(),
            command: "app \"in\" & out".to_owned(),
            seed: 1,
            seconds: 12.0,
            instructions: Some(Instructions { a: 200, b: 190 }),
        };
        serde_json::to_string(&AbReport::new(
            measured(1e7, [1.0, effect, 1.02, 1.0]),
            circumstances,
        ))
        .unwrap()
    }

    #[test]
    fn what_ab_writes_is_read() {
        let Ok(Input::Session(session)) = Input::read(&session_text(0.9)) else {
            panic!("a session");
        };
        assert_eq!((session.rounds, session.metrics.len()), (10, 4));
        assert_eq!(session.outcome, "better");
        assert_eq!(session.instructions, Some(Instructions { a: 200, b: 190 }));
        let memory = &session.metrics[1];
        assert_eq!(
            (memory.name.as_str(), memory.verdict.word.as_str()),
            ("peak RSS", "better")
        );
        assert!((memory.ratio.ratio - 0.9).abs() < 1e-9 && memory.control.high.is_some());
    }

    #[test]
    fn profiles_of_both_forms_are_read() {
        for text in [
            "size,allocs,live_at_peak,avg_live\n24,9,2,1.5\n",
            r#"{"format": "allocator-profile", "version": 1, "runs": 1, "threads": 1,
                "columns": ["align", "size", "allocations", "live_at_peak", "live_mean_thousandths"],
                "rows": [[8, 24, 9, 2, 1500]]}"#,
        ] {
            let Ok(Input::Profile(profile)) = Input::read(text) else {
                panic!("a profile: {text}");
            };
            assert_eq!(profile.peak_bytes(), 48);
        }
    }

    #[test]
    fn each_mistake_is_told_in_a_line() {
        let good = session_text(1.0);
        let later = good.replacen("\"version\":1", "\"version\":7", 1);
        let part = good.replacen("\"metrics\"", "\"metric\"", 1);
        let nothing = good.replacen("\"ratio\":1.0", "\"ratio\":0.0", 1);
        assert!(later != good && part != good && nothing != good);
        for (text, part) in [
            ("", "cut short"),
            ("no", "not a profile"),
            (r#"{"format": "x", "version": 1}"#, "format is \"x\""),
            (&later, "session of version 7"),
            (&part, "not a session: missing field"),
            (&nothing, "has no ratio"),
        ] {
            let mistake = Input::read(text).unwrap_err();
            assert!(
                mistake.contains(part) && !mistake.contains('\n'),
                "{mistake}"
            );
        }
        let missing = Input::load(Path::new("/no/such")).unwrap_err();
        assert!(missing.starts_with("cannot read '/no/such'"), "{missing}");
    }
}
