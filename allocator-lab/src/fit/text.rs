//! The choice as text, at most 100 columns wide.

use super::choice::{Advice, Choice, Objective, Outcome, Wish};
use super::paste;
use std::fmt::Write;

/// Columns of a run's name.
const NAME_WIDTH: usize = 30;

/// Numbers of classes at which the curve is shown.
const CURVE_STEP: usize = 4;

/// What is said of a choice.
#[must_use]
pub fn render(choice: &Choice, wish: Wish) -> String {
    let mut text = String::new();
    if choice.advice == Advice::Declare {
        text += &paste::attribute(&choice.classes);
        text.push('\n');
    }
    table(&mut text, choice);
    curve(&mut text, choice);
    text.push_str("\nWhy:\n");
    for line in reasons(choice, wish) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// Before and after, for each run and for all of its kind.
fn table(text: &mut String, choice: &Choice) {
    row(
        text,
        "",
        &["live", "waste", "", "memory", "", ""].map(str::to_owned),
    );
    let columns = ["MiB", "before", "after", "before", "after", "ratio"];
    row(text, "run", &columns.map(str::to_owned));
    for (held_out, kind) in [(false, "training"), (true, "hold-out")] {
        let runs = choice.outcomes.iter().filter(|it| it.held_out == held_out);
        for run in runs.clone() {
            let figures = [
                mebibytes(run.default.requested_bytes),
                percent(run.default.waste()),
                percent(run.fitted.waste()),
                mebibytes(run.default.resident_bytes),
                mebibytes(run.fitted.resident_bytes),
                format!("{:.3}", run.ratio()),
            ];
            row(text, &run.run, &figures);
        }
        let mean = |figure: fn(&Outcome) -> f64| choice.mean(held_out, figure).unwrap_or(0.0);
        if runs.count() > 0 {
            let figures = [
                String::new(),
                percent(mean(|run| run.default.waste())),
                percent(mean(|run| run.fitted.waste())),
                String::new(),
                String::new(),
                format!("{:.3}", mean(Outcome::ratio)),
            ];
            row(text, &format!("= {kind}, mean"), &figures);
        }
    }
}

fn row(text: &mut String, name: &str, figures: &[String; 6]) {
    let [live, before, after, memory_before, memory_after, ratio] = figures;
    let line = format!(
        "{:<NAME_WIDTH$}  {live:>8}  {before:>6} {after:>6}  {memory_before:>8} {memory_after:>8}  \
         {ratio:>6}",
        shortened(name)
    );
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Waste against the number of classes.
fn curve(text: &mut String, choice: &Choice) {
    text.push_str("\nclasses ");
    let last = choice.curve.last().map(|point| point.classes);
    let shown = choice.curve.iter().filter(|point| {
        point.classes.is_multiple_of(CURVE_STEP)
            || Some(point.classes) == last
            || point.classes == choice.classes.len()
    });
    let shown: Vec<_> = shown.collect();
    for point in &shown {
        let _ = write!(text, " {:>5}", point.classes);
    }
    text.push_str("\ntraining");
    for point in &shown {
        let _ = write!(text, " {:>5}", percent(point.training_waste));
    }
    if shown.iter().any(|point| point.holdout_waste.is_some()) {
        text.push_str("\nhold-out");
        for waste in shown.iter().filter_map(|point| point.holdout_waste) {
            let _ = write!(text, " {:>5}", percent(waste));
        }
    }
    text.push('\n');
}

/// One line for each decision.
#[must_use]
pub fn reasons(choice: &Choice, wish: Wish) -> Vec<String> {
    let mut lines = vec![verdict(choice)];
    let count = choice.classes.len();
    let price = kibibytes(choice.price_bytes);
    lines.push(match choice.next_saves_bytes {
        _ if count == wish.most_classes => {
            format!("{count} classes: the most that were allowed (--max-classes)")
        }
        Some(saves) if choice.price_bytes == 0.0 => format!(
            "{count} classes: one more would save {}",
            kibibytes(saves.max(0.0))
        ),
        Some(saves) => format!(
            "{count} classes: one more would save {}, and costs {price}",
            kibibytes(saves.max(0.0))
        ),
        None => format!("{count} classes: there are no more to choose from"),
    });
    if choice.advice == Advice::Declare && choice.failed_tries > 0 {
        lines.push(format!(
            "chosen after {} others took more memory in a run held out: it knows those runs a little",
            choice.failed_tries
        ));
    }
    if !choice.kept.is_empty() {
        let kept: Vec<String> = choice.kept.iter().map(usize::to_string).collect();
        lines.push(format!(
            "{}: blocks of that alignment were asked for",
            kept.join(", ")
        ));
    }
    if wish.quantum > 8 {
        lines.push(format!(
            "multiples of {}: as was asked (--quantum)",
            wish.quantum
        ));
    }
    lines.push(format!(
        "{:.0} % of the fit are sizes nobody measured, so that another run finds no wide gap",
        choice.prior * 100.0
    ));
    lines.push(match wish.objective {
        Objective::Memory => "objective memory: blocks live at the peak count most".to_owned(),
        Objective::Balanced => {
            "objective balanced: the peak counts most, then the mean, then the flow".to_owned()
        }
        Objective::Speed => {
            "objective speed: what is allocated most counts most, and a class costs more".to_owned()
        }
    });
    lines.push(
        "small_extend, retire_cycles, page, fast_path: as the preset has them; sizes do not tell"
            .to_owned(),
    );
    for run in choice.held_out_of_training() {
        lines.push(format!(
            "{}: held out and fitted to; how another run fares it does not say",
            shortened(run)
        ));
    }
    if choice.mean(true, Outcome::ratio).is_none() {
        lines.push(
            "no run was held out (--holdout): how another run fares was not looked at".to_owned(),
        );
    }
    lines
}

/// Whether to use it.
#[must_use]
pub fn verdict(choice: &Choice) -> String {
    match choice.advice {
        Advice::Declare => {
            let of = match choice.mean(true, Outcome::ratio) {
                Some(_) => "hold-out",
                None => "training",
            };
            format!(
                "declare these classes: {:.1} % less memory than with the default's ({of})",
                (1.0 - choice.ratio()) * 100.0
            )
        }
        Advice::KeepForLittle if choice.ratio() > 1.0 => format!(
            "keep the default: the best classes would take {:.1} % more memory",
            (choice.ratio() - 1.0) * 100.0
        ),
        Advice::KeepForLittle => {
            "keep the default: the best classes would save under 1 % of its memory".to_owned()
        }
        Advice::KeepForHoldout => {
            let worst = choice.outcomes.iter().filter(|run| run.held_out);
            let worst = worst.max_by(|a, b| a.ratio().total_cmp(&b.ratio()));
            let (run, ratio) = worst.map_or(("", 1.0), |it| (it.run.as_str(), it.ratio()));
            format!(
                "keep the default: on {} the fitted classes would take {:.1} % more memory",
                shortened(run),
                (ratio - 1.0) * 100.0
            )
        }
    }
}

/// The end of a name that is too long: the file's name is there.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME_WIDTH {
        return name.to_owned();
    }
    let rest: String = name.chars().skip(length - NAME_WIDTH + 1).collect();
    format!("…{rest}")
}

fn percent(part: f64) -> String {
    format!("{:.1}%", part * 100.0)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.2}", bytes / f64::from(1 << 20))
}

fn kibibytes(bytes: f64) -> String {
    format!("{:.1} KiB", bytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::choice::Point;
    use crate::fit::replay::Held;

    fn choice(advice: Advice) -> Choice {
        let held = |resident_bytes| Held {
            requested_bytes: 90e6,
            block_bytes: 100e6,
            resident_bytes,
            classes_used: 2,
        };
        let outcome = |run: &str, held_out, after| Outcome {
            run: run.to_owned(),
            held_out,
            default: held(100e6),
            fitted: held(after),
        };
        Choice {
            advice,
            classes: vec![8, 16, 64],
            kept: vec![64],
            prior: 0.1,
            price_bytes: 8192.0,
            failed_tries: 0,
            next_saves_bytes: Some(1024.0),
            outcomes: vec![
                outcome(&format!("{}/first.csv", "folder/".repeat(30)), false, 80e6),
                outcome("second.csv", true, 108e6),
            ],
            curve: (1..=3)
                .map(|classes| Point {
                    classes,
                    training_waste: 0.1,
                    holdout_waste: Some(0.2),
                })
                .collect(),
        }
    }

    #[test]
    fn it_is_at_most_100_columns_wide_and_names_every_run_by_its_end() {
        let text = render(&choice(Advice::Declare), Wish::default());
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        for part in [
            "first.csv",
            "second.csv",
            "0.800",
            "= hold-out, mean",
            "#[derive_allocator(",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn who_is_to_keep_the_default_gets_nothing_to_paste() {
        let text = render(&choice(Advice::KeepForHoldout), Wish::default());
        assert!(!text.contains("derive_allocator"), "{text}");
        assert!(
            text.contains("on second.csv the fitted classes would take 8.0 % more"),
            "{text}"
        );
        let text = render(&choice(Advice::KeepForLittle), Wish::default());
        assert!(
            text.contains("keep the default: the best classes would take 8.0 % more memory"),
            "{text}"
        );
        let mut saving_little = choice(Advice::KeepForLittle);
        saving_little.outcomes[1].fitted.resident_bytes = 99.5e6;
        let text = render(&saving_little, Wish::default());
        assert!(
            text.contains("keep the default: the best classes would save under"),
            "{text}"
        );
    }

    #[test]
    fn each_decision_has_a_line() {
        let mut choice = choice(Advice::Declare);
        let lines = reasons(&choice, Wish::default()).join("\n");
        assert!(lines.contains("3 classes: one more would save 1.0 KiB, and costs 8.0 KiB"));
        assert!(lines.contains("64: blocks of that alignment"), "{lines}");
        assert!(!lines.contains("--holdout") && !lines.contains("fitted to"));
        choice.outcomes[0].run = "second.csv".to_owned();
        let lines = reasons(&choice, Wish::default()).join("\n");
        assert!(
            lines.contains("second.csv: held out and fitted to"),
            "{lines}"
        );
        choice.outcomes.truncate(1);
        choice.failed_tries = 2;
        let few = Wish {
            most_classes: 3,
            ..Wish::default()
        };
        let lines = reasons(&choice, few).join("\n");
        assert!(lines.contains("3 classes: the most that were allowed"));
        assert!(lines.contains("no run was held out"));
        assert!(lines.contains("chosen after 2 others"));
        assert!(lines.contains("20.0 % less memory than with the default's (training)"));
    }
}
