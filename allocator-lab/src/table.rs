//! The report as text: one table of CPU time, one of memory, at most 100 columns wide.

use crate::corpus::Contents;
use crate::heading::Heading;
use crate::report::{Comparison, Report, Row};
use crate::statistics::Verdict;
use std::fmt::Write;

/// Columns of the allocators' names.
const NAME_WIDTH: usize = 16;

/// Columns of one workload.
const CELL_WIDTH: usize = 20;

/// A cell of two lines: what is said, and how sure it is.
type Cell = [String; 2];

/// Renders the report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    let baseline = report.baseline;
    circumstances(&mut text, &report.heading, report.corpus.as_ref());

    line(
        &mut text,
        &format!("\nCPU time as a ratio to `{baseline}` (less is better), with its 95 % interval"),
    );
    rows(&mut text, report, |row| match (&row.cpu, &row.typical) {
        (Some(cpu), _) => [judged(cpu), interval(cpu)],
        (None, Some(typical)) if row.allocator == baseline => [
            format!("{:.1} ms", typical.cpu_us as f64 / 1e3),
            String::new(),
        ],
        _ => missing(row),
    });

    line(
        &mut text,
        &format!("\nPeak memory (RSS) as a ratio to `{baseline}` (less is better)"),
    );
    rows(&mut text, report, |row| {
        match (&row.peak_rss, &row.typical) {
            (Some(rss), _) => [judged(rss), String::new()],
            (None, Some(typical)) if row.allocator == baseline => [
                format!(
                    "{:.1} MiB",
                    typical.peak_rss_bytes as f64 / f64::from(1 << 20)
                ),
                String::new(),
            ],
            _ => missing(row),
        }
    });

    notes(&mut text, report);
    text
}

/// Under what circumstances it was measured.
pub(crate) fn circumstances(text: &mut String, heading: &Heading, corpus: Option<&Contents>) {
    line(text, &heading.circumstances());
    let Some(corpus) = corpus else { return };
    line(
        text,
        &format!(
            "input: {:.2} MB of Rust (files: {}, packages: {}), digest {}",
            corpus.bytes as f64 / 1e6,
            corpus.files,
            corpus.packages,
            corpus.digest
        ),
    );
    if !corpus.with_dependencies {
        line(
            text,
            "note: no sources of dependencies found below CARGO_HOME; the workspace's only",
        );
    }
}

/// A header with the workloads, and a row for each allocator; lines of which
/// every cell is empty are left out.
fn rows(text: &mut String, report: &Report, cell: impl Fn(&Row) -> Cell) {
    let names: Vec<&str> = report
        .workloads
        .iter()
        .map(|workload| workload.name)
        .collect();
    line(text, &columns("", &names));
    for (index, allocator) in report.allocators.iter().enumerate() {
        let cells: Vec<Cell> = report
            .workloads
            .iter()
            .map(|workload| cell(&workload.rows[index]))
            .collect();
        for (part, name) in [allocator.name, ""].into_iter().enumerate() {
            let parts: Vec<&str> = cells.iter().map(|cell| cell[part].as_str()).collect();
            if part == 0 || parts.iter().any(|part| !part.is_empty()) {
                line(text, &columns(name, &parts));
            }
        }
    }
}

fn columns(name: &str, cells: &[&str]) -> String {
    cells
        .iter()
        .fold(format!("{name:<NAME_WIDTH$}"), |mut columns, cell| {
            let _ = write!(columns, "{cell:<CELL_WIDTH$}");
            columns
        })
}

/// `0.987 better`
fn judged(comparison: &Comparison) -> String {
    let word = match comparison.verdict {
        Verdict::Better => "better",
        Verdict::Same => "same",
        Verdict::Worse => "worse",
        Verdict::Inconclusive { .. } => "inconclusive",
        Verdict::Withheld => "withheld",
    };
    format!("{} {word}", ratio(comparison.estimate.ratio))
}

/// Three decimals, or one where more would say nothing.
fn ratio(ratio: f64) -> String {
    if ratio < 10.0 {
        format!("{ratio:.3}")
    } else {
        format!("{ratio:.1}")
    }
}

/// `0.981–0.993`, and for an inconclusive one the rounds that are missing: `+12`.
fn interval(comparison: &Comparison) -> String {
    let estimate = &comparison.estimate;
    let range = format!("{}–{}", ratio(estimate.low), ratio(estimate.high));
    match comparison.verdict {
        Verdict::Inconclusive {
            more_rounds: more @ ..=999,
        } => format!("{range} +{more}"),
        Verdict::Inconclusive { .. } => format!("{range} +>999"),
        _ => range,
    }
}

fn missing(row: &Row) -> Cell {
    let word = if row.failure.is_some() {
        "FAILED"
    } else {
        "no baseline"
    };
    [word.to_owned(), String::new()]
}

fn notes(text: &mut String, report: &Report) {
    let verdicts = || {
        let comparisons = |row: &Row| [row.cpu, row.peak_rss].into_iter().flatten();
        report
            .workloads
            .iter()
            .flat_map(|it| &it.rows)
            .flat_map(comparisons)
            .map(|it| it.verdict)
    };
    line(text, "");
    line(
        text,
        "better, worse: the whole interval is beyond 1 %; same: it is within 1 %.",
    );
    if verdicts().any(|verdict| matches!(verdict, Verdict::Inconclusive { .. })) {
        line(
            text,
            "inconclusive: it allows more than one of these; +N: about N more rounds would settle it.",
        );
    }
    line(
        text,
        "stock′ is a second copy of stock: it shows how far two runs of the same differ here.",
    );
    if verdicts().any(|verdict| verdict == Verdict::Withheld) {
        line(
            text,
            "withheld: stock and its copy differ too much for any other to be told.",
        );
    }
    for (workload, allocator, reason) in report.failures() {
        line(
            text,
            &format!("FAILED: {allocator} on {workload}: {reason}"),
        );
    }
}

/// Adds a line without blanks at its end.
pub(crate) fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Circumstances;
    use crate::rounds::{self, Measured, Outcome, Series};
    use crate::sample::Figures;
    use crate::workloads::WORKLOADS;

    /// A report of 8 rounds on every workload; the entrants took so many
    /// microseconds in turn, give or take `noise`, or failed where it is 0.
    fn rendered(cpu_us: &[u64], noise: u64) -> String {
        let outcome = |cpu_us: u64| {
            if cpu_us == 0 {
                return Outcome::Failed {
                    round: 3,
                    reason: "crashed: signal: 11".to_owned(),
                };
            }
            let figures = |round: u64| Figures {
                cpu_us: cpu_us + noise * (round * cpu_us % 7),
                peak_rss_bytes: cpu_us << 10,
                wall_us: 1,
            };
            Outcome::Measured((0..8).map(figures).collect())
        };
        let entrants = rounds::entrants().len();
        let outcomes: Vec<Outcome> = cpu_us
            .iter()
            .cycle()
            .take(entrants)
            .map(|&cpu_us| outcome(cpu_us))
            .collect();
        let series = WORKLOADS
            .iter()
            .map(|workload| Series {
                workload,
                checksum: 0,
                outcomes: outcomes.clone(),
            })
            .collect();
        let circumstances = Circumstances {
            seed: 1,
            corpus: None,
            seconds: 60.0,
        };
        render(&Report::new(&Measured { rounds: 8, series }, circumstances))
    }

    #[test]
    fn no_line_is_wider_than_100_columns_and_none_ends_in_blanks() {
        for text in [
            rendered(&[1000, 1000, 900, 123_456, 0, 1001], 9),
            rendered(&[0], 0),
        ] {
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn losses_show_as_plainly_as_gains() {
        let text = rendered(&[1000, 1000, 900, 1100], 0);
        let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(
            row("half_remaining").matches("0.900 better").count(),
            WORKLOADS.len()
        );
        assert_eq!(
            row("local_first").matches("1.100 worse").count(),
            WORKLOADS.len()
        );
        assert_eq!(row("stock′").matches("1.000 same").count(), WORKLOADS.len());
        assert_eq!(row("stock ").matches("1.0 ms").count(), WORKLOADS.len());
    }

    #[test]
    fn a_failure_is_in_its_cell_and_explained_below() {
        let text = rendered(&[1000, 1000, 0, 1000], 0);
        assert!(text.contains("half_remaining  FAILED"));
        assert!(text.contains("FAILED: half_remaining on burst: crashed: signal: 11 (round 3)"));
    }

    #[test]
    fn without_a_baseline_there_is_no_ratio() {
        assert!(rendered(&[0, 1000], 0).contains("no baseline"));
    }
}
