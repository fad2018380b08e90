//! A profile as JSON: integers only, one short row for each request.
//!
//! ```text
//! {"format": "allocator-profile", "version": 1, "runs": 1, "threads": 4,
//!  "columns": ["align", "size", "allocations", "live_at_peak", "live_mean_thousandths"],
//!  "rows": [[8, 24, 1200, 17, 15250], …]}
//! ```

use super::{Counts, Profile, Request};
use serde::{Deserialize, Serialize};

/// What says that it is a profile.
const FORMAT: &str = "allocator-profile";

/// The only version so far.
const VERSION: u64 = 1;

/// What the numbers of a row are.
const COLUMNS: [&str; 5] = [
    "align",
    "size",
    "allocations",
    "live_at_peak",
    "live_mean_thousandths",
];

/// What every version begins with.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: String,
    version: u64,
    runs: u64,
    threads: u64,
    columns: [String; 5],
    rows: Vec<[u64; 5]>,
}

/// Reads a profile.
///
/// # Errors
/// What is wrong with it, in a line.
pub fn read(text: &str) -> Result<Profile, String> {
    let malformed = |error: serde_json::Error| match error.is_eof() {
        true => format!("it is cut short: {error}"),
        false => format!("it is not a profile: {error}"),
    };
    let head: Head = serde_json::from_str(text).map_err(malformed)?;
    if head.format != FORMAT {
        let found: String = head.format.chars().take(40).collect();
        return Err(format!("its format is {found:?}, not {FORMAT:?}"));
    }
    if head.version != VERSION {
        return Err(format!(
            "it is of version {}; this program reads version {VERSION}",
            head.version
        ));
    }
    let text: Text = serde_json::from_str(text).map_err(malformed)?;
    if text.columns != COLUMNS {
        return Err(format!("its columns are not {}", COLUMNS.join(", ")));
    }
    if text.runs == 0 {
        return Err("it is of no run".to_owned());
    }
    let rows = text.rows.iter();
    let rows = rows.map(|&[align, size, allocations, live_at_peak, mean]| {
        let counts = Counts {
            allocations,
            live_at_peak,
            live_mean_thousandths: mean,
        };
        (Request { size, align }, counts)
    });
    let profile = Profile::of_run(text.threads, rows)
        .map_err(|(index, mistake)| format!("row {}: {mistake}", index + 1))?;
    Ok(Profile {
        runs: text.runs,
        ..profile
    })
}

/// The profile's text.
#[must_use]
pub fn write(profile: &Profile) -> String {
    let rows = profile.requests.iter();
    let text = Text {
        format: FORMAT.to_owned(),
        version: VERSION,
        runs: profile.runs,
        threads: profile.threads,
        columns: COLUMNS.map(str::to_owned),
        rows: rows
            .map(|(request, it)| {
                [
                    request.align,
                    request.size,
                    it.allocations,
                    it.live_at_peak,
                    it.live_mean_thousandths,
                ]
            })
            .collect(),
    };
    // A line per row is easier on the eyes, and on tools that compare.
    let text = serde_json::to_string(&text).unwrap_or_default();
    text.replace("],[", "],\n[")
        .replace("\"rows\":[[", "\"rows\":[\n[")
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"format": "allocator-profile", "version": 1, "runs": 2, "threads": 4,
        "columns": ["align", "size", "allocations", "live_at_peak", "live_mean_thousandths"],
        "rows": [[8, 24, 1200, 17, 15250], [16, 24, 3, 0, 0]]}"#;

    #[test]
    fn what_is_written_reads_the_same() {
        let profile = read(GOOD).unwrap();
        assert_eq!((profile.runs, profile.threads), (2, 4));
        assert_eq!(profile.allocations(), 1203);
        assert_eq!(read(&write(&profile)).unwrap(), profile);
    }

    #[test]
    fn what_is_cut_short_says_so_wherever_it_ends() {
        for end in 0..GOOD.len() - 1 {
            let mistake = read(&GOOD[..end]).unwrap_err();
            assert!(mistake.starts_with("it is cut short"), "{end}: {mistake}");
            assert!(!mistake.contains('\n'));
        }
    }

    #[test]
    fn each_mistake_is_told_in_a_line() {
        let mistakes = [
            (
                "\"version\": 1",
                "\"version\": 2",
                "version 2; this program reads version 1",
            ),
            ("allocator-profile", "other", "format is \"other\""),
            ("\"runs\": 2", "\"runs\": 0", "of no run"),
            ("\"runs\": 2", "\"runs\": -2", "not a profile"),
            ("\"runs\": 2", "\"runs\": 2, \"more\": 1", "unknown field"),
            ("\"align\"", "\"alignment\"", "columns are not align, size"),
            ("[16, 24, 3", "[24, 24, 3", "row 2: alignment 24"),
            ("17, 15250]", "17]", "not a profile"),
            ("24, 1200", "24.5, 1200", "not a profile"),
        ];
        for (old, new, part) in mistakes {
            let text = GOOD.replacen(old, new, 1);
            assert_ne!(text, GOOD);
            let mistake = read(&text).unwrap_err();
            assert!(
                mistake.contains(part) && !mistake.contains('\n'),
                "{mistake}"
            );
        }
    }

    #[test]
    fn a_later_version_is_told_whatever_else_it_holds() {
        let mistake = read(r#"{"format": "allocator-profile", "version": 9, "new": []}"#);
        assert!(mistake.unwrap_err().contains("version 9"));
    }
}
