//! The class ladder: what a program asked for by size, and what its classes leave over, under the
//! default's above and under the fitted below.

use super::markup::{Picture, Table, bytes, percent, round_bytes, step_of_bytes, ticks};
use crate::fit::histogram::Histogram;
use crate::fit::replay::class_for;
use std::collections::BTreeMap;

/// Units of the picture, across.
const WIDTH: f64 = 1180.0;

/// Where sizes begin and end, across.
const AXIS: (f64, f64) = (78.0, 1168.0);

/// Units of a panel, down: its heading, its bars, its numbers.
const PANEL: (f64, f64, f64) = (52.0, 190.0, 44.0);

/// Units of a bar, across.
const BAR: f64 = 4.0;

/// The smallest power of two on the axis.
const FIRST_POWER: u32 = 2;

/// How many of the classes that waste most are named.
const NAMED: usize = 3;

/// Units that two names keep between them, across.
const NAME_WIDTH: f64 = 240.0;

/// A table of classes, as it is drawn.
pub(crate) struct Panel<'a> {
    /// What it is called.
    pub(crate) name: &'a str,
    /// Bytes of its classes, ascending.
    pub(crate) classes: &'a [usize],
}

/// What lives in a class.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Rung {
    blocks: f64,
    requested: f64,
    taken: f64,
}

/// Blocks of one bar: those whose sizes are drawn at the same place, in the same class.
type Bars = BTreeMap<(usize, usize), Rung>;

/// Draws the classes over what the runs had live at their peaks, on average.
pub(crate) fn figure(runs: &[&Histogram], panels: &[Panel; 2]) -> String {
    let most_bytes = panels.iter().filter_map(|it| it.classes.last()).max();
    let most_bytes = most_bytes.copied().unwrap_or(8);
    let powers = most_bytes.next_power_of_two().ilog2();
    let axis = Axis { powers };
    let drawn = panels.each_ref().map(|panel| bars(runs, panel, &axis));
    let top = drawn.iter().map(tallest).fold(1.0, f64::max);
    let panel_height = PANEL.0 + PANEL.1 + PANEL.2;
    let told = "Bars are bytes live at the peak by requested size, and what is left over in their \
                blocks on top of it; the stripes are the size classes. The table below holds the \
                numbers.";
    let mut picture = Picture::new(
        "ladder",
        "Size classes over the program's sizes",
        told,
        WIDTH,
        panel_height * 2.0,
    );
    for ((index, panel), bars) in panels.iter().enumerate().zip(&drawn) {
        let base = panel_height * index as f64 + PANEL.0 + PANEL.1;
        draw(&mut picture, panel, bars, &axis, (base, top));
    }
    let legend = [
        ("live", "requested"),
        ("lost", "left over in its block"),
        ("rung", "a size class (every other one)"),
    ];
    let table = Table {
        summary: "Classes as a table",
        columns: &["class", "blocks", "requested", "left over", "waste"],
        rows: drawn
            .iter()
            .zip(panels)
            .flat_map(|(bars, panel)| rows(bars, panel))
            .collect(),
    };
    picture.figure(
        &legend,
        "Bytes live at the peak by requested size (logarithmic); less orange is better.",
        &table,
    )
}

/// Where sizes are, across.
struct Axis {
    powers: u32,
}

impl Axis {
    fn x(&self, size: f64) -> f64 {
        let powers = f64::from(self.powers - FIRST_POWER);
        let at = size.max(1.0).log2() - f64::from(FIRST_POWER);
        AXIS.0 + (AXIS.1 - AXIS.0) * (at / powers).clamp(0.0, 1.0)
    }
}

fn bars(runs: &[&Histogram], panel: &Panel, axis: &Axis) -> Bars {
    let mut bars = Bars::new();
    let most_bytes = panel.classes.last().copied().unwrap_or(0);
    let parts = runs.len().max(1) as f64;
    for run in runs {
        for (place, bucket) in run.buckets(most_bytes) {
            let Some(class) = class_for(panel.classes, place) else {
                continue;
            };
            let blocks = bucket.blocks.peak / parts;
            let column = ((axis.x(place.size as f64) - AXIS.0) / BAR).round() as usize;
            let bar = bars.entry((class, column)).or_default();
            bar.blocks += blocks;
            bar.requested += bucket.bytes.peak / parts;
            bar.taken += blocks * class as f64;
        }
    }
    bars
}

/// The height of the highest column, in bytes.
fn tallest(bars: &Bars) -> f64 {
    let mut columns: BTreeMap<usize, f64> = BTreeMap::new();
    for ((_, column), bar) in bars {
        *columns.entry(*column).or_default() += bar.taken;
    }
    columns.values().copied().fold(0.0, f64::max)
}

/// What lives in each class.
fn rungs(bars: &Bars) -> BTreeMap<usize, Rung> {
    let mut rungs: BTreeMap<usize, Rung> = BTreeMap::new();
    for ((class, _), bar) in bars {
        let rung = rungs.entry(*class).or_default();
        rung.blocks += bar.blocks;
        rung.requested += bar.requested;
        rung.taken += bar.taken;
    }
    rungs
}

fn draw(picture: &mut Picture, panel: &Panel, bars: &Bars, axis: &Axis, scale: (f64, f64)) {
    let (base, top) = scale;
    let height = |bytes: f64| bytes / top * PANEL.1;
    let ceiling = base - PANEL.1;
    let rungs = rungs(bars);
    let (requested, taken) = rungs.values().fold((0.0, 0.0), |sum, rung| {
        (sum.0 + rung.requested, sum.1 + rung.taken)
    });
    let waste = if taken == 0.0 {
        0.0
    } else {
        1.0 - requested / taken
    };
    let heading = format!(
        "{}: {} classes, {} of {} left over ({})",
        panel.name,
        panel.classes.len(),
        bytes(taken - requested),
        bytes(taken),
        percent(waste)
    );
    picture.text("head", AXIS.0, ceiling - 34.0, &heading);
    let mut below = 0;
    for (index, &class) in panel.classes.iter().enumerate() {
        let (from, to) = (axis.x(below as f64), axis.x(class as f64));
        let rung = rungs.get(&class).copied().unwrap_or_default();
        let told = format!(
            "class {class}: {:.0} blocks, {} requested, {} left over",
            rung.blocks,
            bytes(rung.requested),
            bytes(rung.taken - rung.requested)
        );
        // One that is not painted still says what it is.
        let style = if index % 2 == 0 { "rung" } else { "unpainted" };
        picture.rect(style, (from, ceiling), (to - from, PANEL.1), &told);
        below = class;
    }
    let tick = step_of_bytes(top);
    for value in ticks(tick, top) {
        let y = base - height(value);
        picture.line("grid", (AXIS.0, y), (AXIS.1, y));
        picture.text("soft end", AXIS.0 - 8.0, y + 4.0, &round_bytes(value));
    }
    let mut stacked: BTreeMap<usize, f64> = BTreeMap::new();
    for ((_, column), bar) in bars {
        let below = stacked.entry(*column).or_default();
        let x = AXIS.0 + *column as f64 * BAR - BAR / 2.0;
        let (live, lost) = (height(bar.requested), height(bar.taken - bar.requested));
        for (style, from, size) in [("live", *below, live), ("lost", *below + live, lost)] {
            if size >= 0.05 {
                picture.rect(style, (x, base - from - size), (BAR, size), "");
            }
        }
        *below += live + lost;
    }
    picture.line("axis", (AXIS.0, base), (AXIS.1, base));
    for power in FIRST_POWER..=axis.powers {
        let size = f64::from(1_u32 << power);
        let x = axis.x(size);
        picture.line("axis", (x, base), (x, base + 5.0));
        let text = match power {
            10.. => format!("{} KiB", 1 << (power - 10)),
            _ => format!("{size:.0}"),
        };
        let class = if power == axis.powers {
            "soft end"
        } else {
            "soft middle"
        };
        picture.text(class, x, base + 20.0, &text);
    }
    name_the_worst(picture, &rungs, axis, ceiling);
}

/// Names the classes that waste most.
fn name_the_worst(picture: &mut Picture, rungs: &BTreeMap<usize, Rung>, axis: &Axis, ceiling: f64) {
    let lost = |rung: &Rung| rung.taken - rung.requested;
    let all: f64 = rungs.values().map(|rung| rung.taken).sum();
    let mut worst: Vec<_> = rungs.iter().collect();
    worst.sort_by(|a, b| lost(b.1).total_cmp(&lost(a.1)).then(a.0.cmp(b.0)));
    let mut taken: Vec<f64> = Vec::new();
    for (class, rung) in worst.into_iter().take(NAMED * 2) {
        // What is under a five-hundredth of all is nothing to look at.
        if lost(rung) * 500.0 < all || taken.len() == NAMED {
            break;
        }
        let x = axis.x(*class as f64);
        let x = x.clamp(AXIS.0 + NAME_WIDTH / 2.0, AXIS.1 - NAME_WIDTH / 2.0);
        if taken.iter().all(|other| (other - x).abs() >= NAME_WIDTH) {
            let text = format!("class {class} wastes {}", bytes(lost(rung)));
            picture.text("tag middle", x, ceiling - 12.0, &text);
            taken.push(x);
        }
    }
}

fn rows(bars: &Bars, panel: &Panel) -> Vec<Vec<String>> {
    let rungs = rungs(bars);
    let row = |class: &usize| {
        let rung = rungs.get(class).copied().unwrap_or_default();
        let waste = if rung.taken == 0.0 {
            0.0
        } else {
            1.0 - rung.requested / rung.taken
        };
        vec![
            format!("{} {class}", panel.name),
            format!("{:.0}", rung.blocks),
            bytes(rung.requested),
            bytes(rung.taken - rung.requested),
            percent(waste),
        ]
    };
    panel.classes.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Counts, Profile, Request};
    use crate::svg::tests::assert_well_formed;

    fn run(rows: &[(u64, u64)]) -> Histogram {
        let rows = rows.iter().map(|&(size, live)| {
            let counts = Counts {
                allocations: live,
                live_at_peak: live,
                live_mean_thousandths: 0,
            };
            (Request { size, align: 1 }, counts)
        });
        Histogram::of(&Profile::of_run(1, rows).unwrap(), 8)
    }

    const PANELS: [Panel; 2] = [
        Panel {
            name: "default",
            classes: &[16, 64, 1024],
        },
        Panel {
            name: "fitted",
            classes: &[16, 40, 1024],
        },
    ];

    #[test]
    fn bars_hold_what_lives_in_the_classes() {
        let run = run(&[(40, 100), (1000, 1)]);
        let axis = Axis { powers: 10 };
        let bars = bars(&[&run], &PANELS[0], &axis);
        let rungs = rungs(&bars);
        assert_eq!(
            rungs[&64],
            Rung {
                blocks: 100.0,
                requested: 4000.0,
                taken: 6400.0
            }
        );
        assert_eq!(rungs[&1024].taken - rungs[&1024].requested, 24.0);
        assert_eq!(tallest(&bars), 6400.0);
    }

    #[test]
    fn it_is_well_formed_and_says_what_each_class_leaves_over() {
        let text = figure(&[&run(&[(40, 1000)])], &PANELS);
        assert_well_formed(&text.replace('\n', ""));
        assert!(
            text.contains("default: 3 classes, 23.4 KiB of 62.5 KiB left over (37.5 %)"),
            "{text}"
        );
        assert!(text.contains("fitted: 3 classes, 0 B of 39.1 KiB left over (0.0 %)"));
        assert!(text.contains("class 64 wastes 23.4 KiB"));
        assert!(text.contains("<th scope=\"row\">fitted 40</th><td>1000</td>"));
    }

    #[test]
    fn nothing_live_is_drawn_as_nothing() {
        let text = figure(&[&run(&[])], &PANELS);
        assert_well_formed(&text.replace('\n', ""));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
