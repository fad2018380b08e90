//! The race as a picture: for every row a line of marks, one per entrant, at
//! its ratio to the best peer of the row; CPU time on the left, memory on the right.

use super::entrants::{DEFAULT, Side};
use super::report::{EntrantReport, RaceReport, RowReport};
use crate::sample::Metric;
use crate::svg::{self, Shape, escaped};
use std::fmt::{self, Write};

/// Pixels of the whole picture, across.
const WIDTH: f64 = 1200.0;

/// Where the marks of each panel are, across.
const PANELS: [(Metric, &str, f64, f64); 2] = [
    (Metric::Cpu, "CPU time", 150.0, 650.0),
    (Metric::PeakRss, "peak memory", 690.0, 1190.0),
];

/// Where the legend begins, down, and how high a line of it is.
const LEGEND: (f64, f64) = (62.0, 20.0);

/// Entries in a line of the legend.
const LEGEND_COLUMNS: usize = 7;

/// Pixels of a row, down.
const ROW: f64 = 20.0;

/// The ratios at either end of the axis; what is beyond is drawn at the end.
const AXIS: (f64, f64) = (0.5, 8.0);

/// Ratios that have a line and a number.
const TICKS: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];

/// Renders the report. Writing to a `String` cannot fail, so nothing here can.
///
/// # Panics
/// Never.
#[must_use]
pub fn render(report: &RaceReport) -> String {
    let mut svg = String::new();
    write(&mut svg, report).expect("a String takes all that is written");
    svg
}

/// An entrant and what it is drawn as.
pub(crate) struct Drawn<'a> {
    /// Who it is.
    pub(crate) entrant: &'a EntrantReport,
    /// Its place among all entrants.
    pub(crate) place: usize,
    pub(crate) shape: Shape,
    /// The style of its marks: what side it is on.
    pub(crate) class: &'static str,
}

/// Shapes of ours, in the order in which they take part; the default's is the first.
const OURS: [Shape; 6] = [
    Shape::Disc,
    Shape::Up,
    Shape::Down,
    Shape::Square,
    Shape::Diamond,
    Shape::Plus,
];

/// Shapes of peers, in the order in which they take part.
const PEERS: [Shape; 7] = [
    Shape::Cross,
    Shape::Diamond,
    Shape::Square,
    Shape::Up,
    Shape::Down,
    Shape::Plus,
    Shape::Circle,
];

fn write(svg: &mut String, report: &RaceReport) -> fmt::Result {
    let drawn = drawn(&report.entrants);
    let legend_lines = drawn.len().div_ceil(LEGEND_COLUMNS) as f64;
    let top = LEGEND.0 + legend_lines * LEGEND.1 + 30.0;
    let bottom = top + report.rows.len() as f64 * ROW;
    let height = bottom + 46.0;
    svg::open(svg, WIDTH, height)?;
    let (rounds, cpus) = (report.heading.effort.rounds, report.heading.machine.cpus);
    writeln!(
        svg,
        r#"<text id="title" class="title" x="12" y="26">Race of allocators: each row's medians as a ratio to the best peer of the row</text>"#
    )?;
    writeln!(
        svg,
        r#"<text class="soft" x="12" y="46">Less is better, 1 is the best peer. Blue: ours, with a 95 % interval for {DEFAULT}; brown: peers. Rounds: {rounds}; CPUs: {cpus}; a mark at the edge lies beyond it.</text>"#
    )?;
    legend(svg, &drawn)?;
    bands(svg, report, top)?;
    for (metric, title, left, right) in PANELS {
        let axis = Axis { left, right };
        axis.write(svg, title, top, bottom)?;
        for (index, row) in report.rows.iter().enumerate() {
            let y = top + (index as f64 + 0.5) * ROW;
            marks(svg, row, metric, &axis, &drawn, y)?;
        }
    }
    svg::close(svg)
}

/// Those that are drawn, peers first: what is drawn later lies above.
pub(crate) fn drawn(entrants: &[EntrantReport]) -> Vec<Drawn<'_>> {
    let of_side = |side, shapes: &'static [Shape], class| {
        let all = entrants.iter().enumerate();
        let of_side = all.filter(move |(_, entrant)| entrant.side == side);
        of_side
            .zip(shapes.iter().cycle())
            .map(move |((place, entrant), &shape)| Drawn {
                entrant,
                place,
                shape,
                class: if entrant.name == DEFAULT {
                    "ours"
                } else {
                    class
                },
            })
    };
    let peers = of_side(Side::Peer, &PEERS, "peer");
    let mut ours: Vec<Drawn> = of_side(Side::Ours, &OURS, "ours-hollow").collect();
    ours.reverse();
    peers.chain(ours).collect()
}

/// The names, each beside its mark.
pub(crate) fn legend(svg: &mut String, drawn: &[Drawn]) -> fmt::Result {
    let mut in_order: Vec<&Drawn> = drawn.iter().collect();
    in_order.sort_by_key(|drawn| drawn.place);
    for (index, drawn) in in_order.into_iter().enumerate() {
        let x = 24.0 + (index % LEGEND_COLUMNS) as f64 * 150.0;
        let y = LEGEND.0 + (index / LEGEND_COLUMNS) as f64 * LEGEND.1 + 4.0;
        drawn.shape.write(svg, drawn.class, x, y, None)?;
        let (x, y, name) = (x + 12.0, y + 4.0, escaped(drawn.entrant.name));
        writeln!(svg, r#"<text x="{x}" y="{y}">{name}</text>"#)?;
    }
    Ok(())
}

/// The rows' names, on bands that lead the eye.
fn bands(svg: &mut String, report: &RaceReport, top: f64) -> fmt::Result {
    for (index, row) in report.rows.iter().enumerate() {
        let y = top + index as f64 * ROW;
        if index % 2 == 0 {
            writeln!(
                svg,
                r#"<rect class="band" x="0" y="{y}" width="{WIDTH}" height="{ROW}"/>"#
            )?;
        }
        let (y, name) = (y + 14.0, escaped(&row.name));
        let about = escaped(row.about);
        writeln!(
            svg,
            r#"<text x="12" y="{y}">{name}<title>{about}</title></text>"#
        )?;
    }
    Ok(())
}

/// The marks of a row in one panel.
fn marks(
    svg: &mut String,
    row: &RowReport,
    metric: Metric,
    axis: &Axis,
    drawn: &[Drawn],
    y: f64,
) -> fmt::Result {
    let Some(contest) = row.contest(metric) else {
        return Ok(());
    };
    for drawn in drawn {
        let name = drawn.entrant.name;
        let Some(ratio) = contest.medians_to_best[drawn.place] else {
            continue;
        };
        let interval = contest.ours.iter().find(|it| it.entrant == name);
        let interval = interval
            .and_then(|it| it.to_best)
            .filter(|it| it.high.is_finite());
        if let (DEFAULT, Some(interval)) = (name, interval) {
            let (low, high) = (axis.at(interval.low), axis.at(interval.high));
            writeln!(
                svg,
                r#"<line class="ours" x1="{low:.1}" x2="{high:.1}" y1="{y}" y2="{y}"/>"#
            )?;
        }
        let told = format!("{name}: {ratio:.2} ({})", row.name);
        drawn
            .shape
            .write(svg, drawn.class, axis.at(ratio), y, Some(&told))?;
    }
    Ok(())
}

/// The logarithmic axis of a panel.
struct Axis {
    left: f64,
    right: f64,
}

impl Axis {
    /// Where a ratio is, across.
    fn at(&self, ratio: f64) -> f64 {
        let (low, high) = (AXIS.0.ln(), AXIS.1.ln());
        let part = (ratio.clamp(AXIS.0, AXIS.1).ln() - low) / (high - low);
        self.left + part * (self.right - self.left)
    }

    fn write(&self, svg: &mut String, title: &str, top: f64, bottom: f64) -> fmt::Result {
        for tick in TICKS {
            let x = self.at(tick);
            let class = if tick == 1.0 { "one" } else { "grid" };
            writeln!(
                svg,
                r#"<line class="{class}" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/>"#
            )?;
            for y in [top - 6.0, bottom + 16.0] {
                writeln!(
                    svg,
                    r#"<text class="soft" text-anchor="middle" x="{x:.1}" y="{y}">{tick}</text>"#
                )?;
            }
        }
        let (x, y) = (f64::midpoint(self.left, self.right), bottom + 36.0);
        writeln!(
            svg,
            r#"<text class="head" text-anchor="middle" x="{x}" y="{y}">{title}, ratio to the best peer (logarithmic)</text>"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::report::tests::report;
    use crate::svg::tests::assert_well_formed;

    #[test]
    fn the_chart_is_well_formed_and_small() {
        for report in [
            report(100, 90, 0, 5000),
            report(0, 0, 0, 0),
            report(1, 1, 1, 1),
        ] {
            let svg = render(&report);
            assert_well_formed(&svg);
            assert!(svg.len() < 200_000, "{}", svg.len());
        }
    }

    #[test]
    fn every_row_and_every_entrant_is_in_it_and_the_control_is_not() {
        let report = report(100, 200, 100, 200);
        let svg = render(&report);
        for row in &report.rows {
            assert!(svg.contains(&format!(">{}<", row.name)), "{}", row.name);
        }
        for entrant in &report.entrants {
            let is_drawn = svg.contains(&format!(">{}</text>", entrant.name));
            assert_eq!(is_drawn, entrant.side != Side::Control, "{}", entrant.name);
        }
    }

    #[test]
    fn what_lies_beyond_the_axis_is_drawn_at_its_end() {
        let axis = Axis {
            left: 100.0,
            right: 600.0,
        };
        assert_eq!((axis.at(0.01), axis.at(100.0)), (100.0, 600.0));
        assert!(
            (axis.at(2.0) - 350.0).abs() < 1e-9,
            "the middle, by logarithm"
        );
    }
}
