//! The report as text, at most 100 columns wide.

use super::report::{AbReport, MetricReport, Outcome};
use crate::heading::Effort;
use crate::statistics::Verdict;
use std::fmt::Write;

/// Columns of what a side or a command is called.
const NAME_WIDTH: usize = 88;

/// Renders the report.
#[must_use]
pub fn render(report: &AbReport) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "A        {}", shortened(&report.a));
    let _ = writeln!(text, "B        {}", shortened(&report.b));
    if !report.command.is_empty() {
        let _ = writeln!(text, "command  {}", shortened(&report.command));
    }
    let Effort {
        seed,
        rounds,
        seconds,
    } = report.heading.effort;
    let _ = writeln!(
        text,
        "{rounds} rounds of A, a copy of A, and B; runs per sample: {}; {seconds:.0} s; seed {seed}\n",
        report.repeats
    );
    let _ = writeln!(
        text,
        "{:<12} {:>11} {:>11}  {:>6}  {:<13}  {:<13}  verdict",
        "", "A", "B", "B/A", "interval", "noise (A′/A)"
    );
    for metric in &report.metrics {
        row(&mut text, metric);
    }
    if let Some(instructions) = report.instructions {
        let (a, b) = (millions(instructions.a), millions(instructions.b));
        let ratio = instructions.ratio();
        let _ = writeln!(
            text,
            "{:<12} {a:>11} {b:>11}  {ratio:>6.4}  one run each, by valgrind; decides nothing",
            "instructions"
        );
    }
    if report.output_differs {
        text.push_str("\nnote: B's output differs from A's, which is the same in every run\n");
    }
    let _ = writeln!(text, "\n{}", conclusion(report));
    text
}

fn row(text: &mut String, metric: &MetricReport) {
    let estimate = metric.judgement.comparison.estimate;
    let control = metric.judgement.control;
    let range = |low: f64, high: f64| format!("{low:.3}–{high:.3}");
    let _ = writeln!(
        text,
        "{:<12} {:>11} {:>11}  {:>6.3}  {:<13}  {:<13}  {}",
        metric.name,
        figure(metric, metric.a),
        figure(metric, metric.b),
        estimate.ratio,
        range(estimate.low, estimate.high),
        range(control.low, control.high),
        word(metric.judgement.comparison.verdict)
    );
}

fn millions(count: u64) -> String {
    format!("{:.1} M", count as f64 / 1e6)
}

fn figure(metric: &MetricReport, value: f64) -> String {
    match metric.name {
        "CPU time" | "wall time" => format!("{:.1} ms", value / 1e3),
        "peak RSS" => format!("{:.1} MiB", value / f64::from(1 << 20)),
        _ => format!("{value:.0}"),
    }
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Better => "better".to_owned(),
        Verdict::Same => "same".to_owned(),
        Verdict::Worse => "worse".to_owned(),
        Verdict::Inconclusive {
            more_rounds: more @ ..=999,
        } => format!("inconclusive: about {more} more rounds"),
        Verdict::Inconclusive { .. } => "inconclusive: over 999 more rounds".to_owned(),
        Verdict::Withheld => "withheld: A and its copy differ".to_owned(),
    }
}

fn conclusion(report: &AbReport) -> String {
    let said: Vec<String> = report
        .metrics
        .iter()
        .filter(|metric| metric.decides)
        .map(|metric| {
            let comparison = metric.judgement.comparison;
            let word = word(comparison.verdict);
            let word = word.split(':').next().unwrap_or_default().to_owned();
            let change = (comparison.estimate.ratio - 1.0) * 100.0;
            format!("{word} in {} ({change:+.1} %)", metric.name)
        })
        .collect();
    let outcome = match report.outcome {
        Outcome::Better => "better",
        Outcome::Same => "the same",
        Outcome::Worse => "worse",
        Outcome::Inconclusive => "inconclusive",
    };
    format!("B is {outcome}: {}", said.join(", "))
}

/// One line, its end cut off where it is too long.
fn shortened(text: &str) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= NAME_WIDTH {
        return text;
    }
    let start: String = text.chars().take(NAME_WIDTH - 1).collect();
    start + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ab::instructions::Instructions;
    use crate::ab::report::Circumstances;
    use crate::ab::session::Measured;
    use crate::ab::session::tests::measured;

    fn report(effect: f64) -> AbReport {
        let measured = Measured {
            output_differs: true,
            ..measured(1e6, [1.0, effect, 1.0, 1.0])
        };
        let circumstances = Circumstances {
            a: "default".to_owned(),
            b: "x = y, ".repeat(50),
            command: "program with\narguments".to_owned(),
            seed: 1,
            seconds: 12.0,
            instructions: Some(Instructions {
                a: 250_000_000,
                b: 240_000_000,
            }),
        };
        AbReport::new(measured, circumstances)
    }

    #[test]
    fn it_is_at_most_100_columns_wide_and_says_how_it_ends() {
        for (effect, end) in [
            (
                0.9,
                "B is better: same in CPU time (+0.0 %), better in peak RSS (-10.0 %)",
            ),
            (
                1.2,
                "B is worse: same in CPU time (+0.0 %), worse in peak RSS (+20.0 %)",
            ),
            (
                1.0,
                "B is the same: same in CPU time (+0.0 %), same in peak RSS (+0.0 %)",
            ),
        ] {
            let text = render(&report(effect));
            assert!(text.ends_with(&format!("\n{end}\n")), "{text}");
            assert!(
                text.lines().all(|line| line.chars().count() <= 100),
                "{text}"
            );
            assert!(
                text.contains("250.0 M     240.0 M  0.9600  one run each"),
                "{text}"
            );
            assert!(text.contains("note: B's output differs"), "{text}");
            assert!(text.contains("command  program with arguments\n"), "{text}");
        }
    }
}
