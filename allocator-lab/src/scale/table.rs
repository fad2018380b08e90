//! How cost grows as text: a table for each series and measure, and one of the counts.

use super::counts::{CORES, Counted, Rates};
use super::points::Series;
use super::report::{Measure, PointResult, ScaleReport, SeriesReport};
use crate::race::table::{columns, with_interval};
use crate::table::{circumstances, line};

/// Columns of a figure with its interval.
const FIGURE_WIDTH: usize = 21;

/// Columns of a count.
const COUNT_WIDTH: usize = 10;

/// Renders the report.
#[must_use]
pub fn render(report: &ScaleReport) -> String {
    let mut text = String::new();
    circumstances(&mut text, &report.heading, None);
    for series in &report.series {
        for &measure in measures(series.series) {
            figures(&mut text, series, measure);
        }
    }
    if !report.counts.is_empty() {
        counts(&mut text, report);
    }
    let failures = report.failures();
    if !failures.is_empty() {
        line(&mut text, "");
    }
    for (place, entrant, reason) in failures {
        line(
            &mut text,
            &format!("FAILED: {entrant} on {place}: {reason}"),
        );
    }
    text
}

/// What is told of a series: one thread's time by the clock is its CPU time.
fn measures(series: Series) -> &'static [Measure] {
    match series {
        Series::Threads => &[Measure::Cpu, Measure::Wall, Measure::Rss],
        Series::LiveBlocks | Series::Types => &[Measure::Cpu, Measure::Rss],
    }
}

fn figures(text: &mut String, series: &SeriesReport, measure: Measure) {
    let title = match measure {
        Measure::Cpu => "CPU time of an allocation or a free (ns)",
        Measure::Wall => "Time by the clock over allocations and frees (ns)",
        Measure::Rss => "Bytes resident for each live byte",
    };
    let noun = series.series.noun();
    line(text, &format!("\n{title}, by {noun}; 95 % interval"));
    let names = series.entrants.iter().map(|entrant| entrant.name);
    line(text, &columns("", names, FIGURE_WIDTH));
    for point in &series.points {
        let cell = |result: &PointResult| match result.typical(measure) {
            Some(typical) => with_interval(Some((typical.value, typical.low, typical.high))),
            None => "FAILED".to_owned(),
        };
        let name = point.count.to_string();
        line(
            text,
            &columns(&name, point.results.iter().map(cell), FIGURE_WIDTH),
        );
    }
}

fn counts(text: &mut String, report: &ScaleReport) {
    let ns = report.transfer_ns;
    line(
        text,
        "\nAtomics, shared lines and calls of the OS of the default, for each 1000 allocations and frees",
    );
    let head = [
        "CPU ns",
        "atomics",
        "transfers",
        "busiest",
        "OS calls",
        "barriers",
        "transfers",
        "share",
        "busiest at",
    ];
    line(text, &columns("", head, COUNT_WIDTH));
    let cores = format!("{CORES} cores");
    let units = [
        "each", "", "of lines", "line", "", "", "ns each", "", &cores,
    ];
    line(text, &columns("", units, COUNT_WIDTH));
    for counted in &report.counts {
        line(text, &columns(&counted.name, cells(counted), COUNT_WIDTH));
    }
    let notes = [
        "",
        "transfers: of lines between caches, if every thread had a core of its own; and if each lasts",
        &format!("{ns} ns, their time for an allocation or a free and their share of all time."),
        &format!(
            "busiest at {cores}: share of the time that the busiest line is on its way if so many cores"
        ),
        "do this work with it; from 1 on they wait for it.",
    ];
    for note in notes {
        line(text, note);
    }
}

fn cells(counted: &Counted) -> Vec<String> {
    let Some(rates) = counted.rates else {
        return vec!["FAILED".to_owned()];
    };
    let Rates {
        operations: _,
        cpu_ns,
        atomics_per_1000,
        shared_line_transfers_per_1000,
        busiest_line_transfers_per_1000,
        os_calls_per_1000,
        barriers_per_1000,
        transfer_ns,
        transfer_share,
        busiest_line_share,
    } = rates;
    vec![
        format!("{cpu_ns:.1}"),
        format!("{atomics_per_1000:.2}"),
        format!("{shared_line_transfers_per_1000:.2}"),
        format!("{busiest_line_transfers_per_1000:.3}"),
        format!("{os_calls_per_1000:.3}"),
        format!("{barriers_per_1000:.3}"),
        format!("{transfer_ns:.2}"),
        format!("{transfer_share:.3}"),
        format!("{busiest_line_share:.3}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn every_count_has_its_line_and_no_line_has_blanks_at_its_end() {
        let report = report();
        let text = render(&report);
        for line in text.lines() {
            assert!(line.chars().count() <= 110, "{line}");
            assert_eq!(line, line.trim_end());
        }
        for (count, expected) in [("1000000 ", 2), ("64 ", 3), ("32 ", 5)] {
            let lines = text.lines().filter(|line| line.starts_with(count));
            assert_eq!(lines.count(), expected, "{count}: {text}");
        }
        assert!(text.contains("1000              10.0 10.0–10.0"), "{text}");
        assert!(
            text.contains("FAILED: System on 64 threads: crashed"),
            "{text}"
        );
    }

    #[test]
    fn counts_are_for_a_thousand_operations() {
        let text = render(&report());
        let tree = text.lines().find(|line| line.starts_with("tree "));
        let cells: Vec<&str> = tree.unwrap().split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "tree", "20.0", "50.00", "40.00", "4.000", "2.000", "1.000", "4.00", "0.167",
                "1.280"
            ]
        );
    }
}
