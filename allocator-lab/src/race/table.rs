//! The race as text: what each took, how ours compare, and what it comes to.

use super::entrants::{DEFAULT, Side};
use super::report::{Contest, METRICS, RaceReport, RowReport, Summary};
use crate::sample::{Figures, Metric};
use crate::statistics::Estimate;
use crate::table::{circumstances, line};
use std::fmt::Write;

/// Columns of the rows' names.
const NAME_WIDTH: usize = 17;

/// Columns of one figure.
const FIGURE_WIDTH: usize = 10;

/// Columns of the name of the best peer.
const PEER_WIDTH: usize = 12;

/// Columns of one ratio with its interval.
const RATIO_WIDTH: usize = 18;

/// Renders the report.
#[must_use]
pub fn render(report: &RaceReport) -> String {
    let mut text = String::new();
    heading(&mut text, report);
    for metric in METRICS {
        figures(&mut text, report, metric);
    }
    for metric in METRICS {
        ratios(&mut text, report, metric);
    }
    for metric in METRICS {
        summary(&mut text, report, metric);
    }
    notes(&mut text, report);
    text
}

fn heading(text: &mut String, report: &RaceReport) {
    circumstances(text, &report.heading, report.corpus.as_ref());
    let packages = report.entrants.iter();
    let packages: Vec<String> = packages
        .filter_map(|entrant| Some(format!("{} {}", entrant.name, entrant.package.as_ref()?)))
        .collect();
    if !packages.is_empty() {
        line(text, &format!("peers: {}", packages.join(", ")));
    }
}

/// The medians of every entrant on every row.
fn figures(text: &mut String, report: &RaceReport, metric: Metric) {
    let (title, _) = titles(metric);
    line(text, &format!("\n{title}, medians"));
    let names = report.entrants.iter().map(|entrant| entrant.name);
    line(text, &columns("", names, FIGURE_WIDTH));
    for row in &report.rows {
        if row.contest(metric).is_none() {
            continue;
        }
        let cells = row.results.iter().map(|result| {
            let typical = result.typical.as_ref();
            typical.map_or("FAILED".to_owned(), |figures| figure(metric, figures))
        });
        line(text, &columns(&row.name, cells, FIGURE_WIDTH));
    }
}

/// The ratios of ours on every row: to the best peer, and below it to the reference.
fn ratios(text: &mut String, report: &RaceReport, metric: Metric) {
    let (title, _) = titles(metric);
    line(
        text,
        &format!(
            "\n{title} as a ratio to the best peer of the row, and below it to {} (less is better; 95 % interval)",
            report.reference
        ),
    );
    let ours = report.entrants.iter().filter(|it| it.side != Side::Peer);
    let head = format!("{:<NAME_WIDTH$}{:<PEER_WIDTH$}", "", "peer");
    line(
        text,
        &columns_after(head, ours.map(|entrant| entrant.name), RATIO_WIDTH),
    );
    for row in &report.rows {
        if let Some(contest) = row.contest(metric) {
            row_of_ratios(text, row, contest, report.reference);
        }
    }
}

fn row_of_ratios(text: &mut String, row: &RowReport, contest: &Contest, reference: &str) {
    let best = contest.best_peer.unwrap_or("none");
    let head = format!("{:<NAME_WIDTH$}{best:<PEER_WIDTH$}", row.name);
    let cells = contest.ours.iter().map(|ratios| estimated(ratios.to_best));
    line(text, &columns_after(head, cells, RATIO_WIDTH));
    let has_mimalloc = contest.ours.iter().any(|it| it.to_mimalloc.is_some());
    if has_mimalloc && best != reference {
        let head = format!("{:<NAME_WIDTH$}{reference:<PEER_WIDTH$}", "");
        let cells = contest
            .ours
            .iter()
            .map(|ratios| estimated(ratios.to_mimalloc));
        line(text, &columns_after(head, cells, RATIO_WIDTH));
    }
}

/// What it comes to for every entrant.
fn summary(text: &mut String, report: &RaceReport, metric: Metric) {
    let (_, title) = titles(metric);
    line(
        text,
        &format!("\n{title} over all rows, geometric mean (less is better; 95 % interval)"),
    );
    let reference = format!("to {}", report.reference);
    let head = ["to best", &reference, "rows won", "worst row"];
    line(text, &columns("", head, RATIO_WIDTH));
    for entrant in &report.entrants {
        if let Some(summary) = report.summary_of(entrant.name, metric) {
            let cells = summary_cells(summary);
            line(text, &columns(entrant.name, cells, RATIO_WIDTH));
        }
    }
}

fn summary_cells(summary: &Summary) -> [String; 4] {
    let worst = summary.worst.as_ref();
    [
        estimated(summary.to_best),
        estimated(summary.to_mimalloc),
        format!("{} of {}", summary.rows_won, summary.rows),
        worst.map_or_else(
            || "-".to_owned(),
            |(row, worst)| format!("{} {row}", ratio(*worst)),
        ),
    ]
}

fn notes(text: &mut String, report: &RaceReport) {
    line(text, "");
    line(
        text,
        "best peer: the one with the lowest median on that row and in that metric. Means are geometric.",
    );
    let control = report.entrants.iter().find(|it| it.side == Side::Control);
    if let Some(control) = control {
        let name = control.name;
        line(
            text,
            &format!(
                "{name} is a second copy of {DEFAULT}: it shows how far two runs of the same differ here."
            ),
        );
    }
    for left_out in &report.left_out {
        let (name, reason) = (left_out.name, &left_out.reason);
        line(text, &format!("LEFT OUT: {name}: {reason}"));
    }
    for (row, entrant, reason) in report.failures() {
        line(text, &format!("FAILED: {entrant} on {row}: {reason}"));
    }
}

/// How a metric is called: with its unit, and without.
fn titles(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::Cpu => ("CPU time (ms)", "CPU time"),
        Metric::Wall => ("Time by the clock (ms)", "Time by the clock"),
        Metric::PeakRss => ("Peak memory (MB)", "Peak memory"),
    }
}

fn figure(metric: Metric, figures: &Figures) -> String {
    match metric {
        Metric::Cpu => format!("{:.1}", figures.cpu_us as f64 / 1e3),
        Metric::Wall => format!("{:.1}", figures.wall_us as f64 / 1e3),
        Metric::PeakRss => format!("{:.1}", figures.peak_rss_bytes as f64 / 1e6),
    }
}

fn estimated(estimate: Option<Estimate>) -> String {
    with_interval(estimate.map(|it| (it.ratio, it.low, it.high)))
}

/// `0.97 0.95–0.99`; without an interval after one round.
pub(crate) fn with_interval(value: Option<(f64, f64, f64)>) -> String {
    match value {
        None => "-".to_owned(),
        Some((point, _, high)) if high.is_infinite() => ratio(point),
        Some((point, low, high)) => format!("{} {}–{}", ratio(point), ratio(low), ratio(high)),
    }
}

/// Two decimals, or one where more would say nothing.
fn ratio(ratio: f64) -> String {
    if ratio < 10.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.1}")
    }
}

pub(crate) fn columns(
    name: &str,
    cells: impl IntoIterator<Item = impl AsRef<str>>,
    width: usize,
) -> String {
    columns_after(format!("{name:<NAME_WIDTH$}"), cells, width)
}

fn columns_after(
    head: String,
    cells: impl IntoIterator<Item = impl AsRef<str>>,
    width: usize,
) -> String {
    cells.into_iter().fold(head, |mut columns, cell| {
        // Writing to a `String` cannot fail.
        let _ = write!(columns, " {:<1$}", cell.as_ref(), width - 1);
        columns
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::report::tests::report;

    #[test]
    fn every_row_has_its_figures_its_ratios_and_no_blanks_at_its_end() {
        // All others fail.
        let text = render(&report(100, 200, 400, 0));
        for line in text.lines() {
            assert!(line.chars().count() <= 170, "{line}");
            assert_eq!(line, line.trim_end());
        }
        let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        // In the medians and in the ratios, by three metrics.
        assert_eq!(lines("tree "), 6);
        // The time of nothing is not told.
        assert_eq!(lines("empty "), 2);
        assert!(
            text.contains("tree             System       0.50 0.50–0.50"),
            "{text}"
        );
        assert!(
            text.contains("                 mimalloc3    0.25 0.25–0.25"),
            "{text}"
        );
        assert!(text.contains("FAILED: jemalloc on tree: crashed: signal: 11 (round 3)"));
        assert!(text.contains("LEFT OUT: z3: there is no program z3"));
    }

    #[test]
    fn losses_show_as_plainly_as_gains() {
        let text = render(&report(300, 200, 100, 300));
        assert!(
            text.contains("tree             mimalloc3    3.00 3.00–3.00"),
            "{text}"
        );
        assert!(text.contains("0 of 32           3.00 tokio-aged"), "{text}");
    }
}
