//! How cost grows as a picture: a panel for each series, time above and memory
//! below, a line for each entrant. All axes are logarithmic.

use super::report::{Measure, PointReport, ScaleReport, SeriesReport};
use crate::race::chart::{Drawn, drawn, legend};
use crate::race::entrants::DEFAULT;
use crate::race::report::EntrantReport;
use crate::statistics::Typical;
use crate::svg;
use std::fmt::{self, Write};

/// Pixels of the whole picture.
const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 690.0;

/// Where the first column of panels begins, how wide a panel is, and how far the next one is.
const LEFT: f64 = 50.0;
const PANEL_WIDTH: f64 = 330.0;
const COLUMN: f64 = 395.0;

/// What is shown in each row of panels, and where, down.
const PANELS: [(Measure, &str, f64, f64); 2] = [
    (
        Measure::Cpu,
        "CPU ns for an allocation or a free",
        130.0,
        370.0,
    ),
    (
        Measure::Rss,
        "bytes resident for each live byte",
        430.0,
        640.0,
    ),
];

/// Renders the report. Writing to a `String` cannot fail, so nothing here can.
///
/// # Panics
/// Never.
#[must_use]
pub fn render(report: &ScaleReport) -> String {
    let mut svg = String::new();
    write(&mut svg, report).expect("a String takes all that is written");
    svg
}

fn write(svg: &mut String, report: &ScaleReport) -> fmt::Result {
    svg::open(svg, WIDTH, HEIGHT)?;
    writeln!(
        svg,
        r#"<text id="title" class="title" x="12" y="26">How cost grows: random replacement of blocks of 16 to 512 bytes</text>"#
    )?;
    let (rounds, cpus) = (report.heading.effort.rounds, report.heading.machine.cpus);
    writeln!(
        svg,
        r#"<text class="soft" x="12" y="46">Less is better. Blue: ours, with a 95 % interval for {DEFAULT}; brown: peers. Rounds: {rounds}; CPUs: {cpus}. Axes are logarithmic; a mark at the edge lies beyond it.</text>"#
    )?;
    if let Some(series) = report.series.iter().max_by_key(|it| it.entrants.len()) {
        legend(svg, &drawn(&series.entrants))?;
    }
    for (index, series) in report.series.iter().enumerate() {
        let left = LEFT + index as f64 * COLUMN;
        for (measure, title, top, bottom) in PANELS {
            let panel = Panel {
                x: Axis::of(
                    series.points.iter().map(|point| point.count as f64),
                    left,
                    left + PANEL_WIDTH,
                ),
                y: Axis::of(values(report, measure), bottom, top),
                series,
                measure,
            };
            panel.write(svg, title)?;
        }
    }
    svg::close(svg)
}

/// All that is shown of a measure, ends of intervals included: so that the panels of a row, which
/// have the same axis, can be compared.
fn values(report: &ScaleReport, measure: Measure) -> impl Iterator<Item = f64> {
    let points = report.series.iter().flat_map(|series| &series.points);
    let results = points.flat_map(|point| &point.results);
    let typical = results.filter_map(move |result| result.typical(measure));
    let all = typical.flat_map(|Typical { value, low, high }| [value, low, high]);
    // After one round an interval is from 0 to infinity.
    let finite = all.filter(|it| it.is_finite() && *it > 0.0);
    finite.map(move |it| match measure {
        // Less than 1 is memory that was touched before the work began.
        Measure::Rss => it.max(1.0),
        Measure::Cpu | Measure::Wall => it,
    })
}

/// One measure of one series.
struct Panel<'a> {
    x: Axis,
    y: Axis,
    series: &'a SeriesReport,
    measure: Measure,
}

impl Panel<'_> {
    fn write(&self, svg: &mut String, title: &str) -> fmt::Result {
        let (left, right, top, bottom) = (self.x.start, self.x.end, self.y.end, self.y.start);
        let (above, noun) = (top - 10.0, self.series.series.noun());
        writeln!(
            svg,
            r#"<text class="head" x="{left}" y="{above}">{title}, by {noun}</text>"#
        )?;
        for tick in self.y.ticks() {
            let (y, label) = (self.y.at(tick), label(tick));
            writeln!(
                svg,
                r#"<line class="grid" x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#
            )?;
            let (x, y) = (left - 6.0, y + 4.0);
            writeln!(
                svg,
                r#"<text class="soft" text-anchor="end" x="{x}" y="{y:.1}">{label}</text>"#
            )?;
        }
        for point in &self.series.points {
            let (x, label) = (self.x.at(point.count as f64), label(point.count as f64));
            let below = bottom + 18.0;
            writeln!(
                svg,
                r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/>"#
            )?;
            writeln!(
                svg,
                r#"<text class="soft" text-anchor="middle" x="{x:.1}" y="{below}">{label}</text>"#
            )?;
        }
        for drawn in drawn(&self.series.entrants) {
            self.line(svg, &drawn)?;
        }
        Ok(())
    }

    /// An entrant's line, its marks, and for the default the intervals.
    fn line(&self, svg: &mut String, drawn: &Drawn) -> fmt::Result {
        let EntrantReport { name, .. } = drawn.entrant;
        let typical = |point: &PointReport| {
            let typical = point.results[drawn.place].typical(self.measure)?;
            Some((self.x.at(point.count as f64), typical, point.count))
        };
        let points: Vec<_> = self.series.points.iter().filter_map(typical).collect();
        let corners: Vec<String> = points
            .iter()
            .map(|(x, typical, _)| format!("{x:.1} {:.1}", self.y.at(typical.value)))
            .collect();
        let (class, corners) = (drawn.class, corners.join(" "));
        writeln!(
            svg,
            r#"<polyline class="{class}" style="fill:none" points="{corners}"/>"#
        )?;
        for (x, typical, count) in points {
            let y = self.y.at(typical.value);
            if class == "ours" && typical.high.is_finite() {
                let (low, high) = (self.y.at(typical.low), self.y.at(typical.high));
                writeln!(
                    svg,
                    r#"<line class="ours" x1="{x:.1}" x2="{x:.1}" y1="{low:.1}" y2="{high:.1}"/>"#
                )?;
            }
            let told = format!("{name}, {}: {:.2}", label(count as f64), typical.value);
            drawn.shape.write(svg, class, x, y, Some(&told))?;
        }
        Ok(())
    }
}

/// A logarithmic axis: where the least value is and where the greatest, in pixels.
struct Axis {
    start: f64,
    end: f64,
    least: f64,
    greatest: f64,
}

impl Axis {
    /// An axis for these values. Without any it is from 1 to 2.
    fn of(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (least, greatest) = values.fold((f64::INFINITY, 0.0_f64), |(least, greatest), it| {
            (least.min(it), greatest.max(it))
        });
        let (least, greatest) = if least.is_finite() {
            (least, greatest)
        } else {
            (1.0, 2.0)
        };
        Self {
            start,
            end,
            least,
            // So that equal values have a place.
            greatest: greatest.max(least * 1.1),
        }
    }

    /// Where a value is; what is beyond the axis is at its end.
    fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.least, self.greatest);
        let part = (value / self.least).ln() / (self.greatest / self.least).ln();
        self.start + part * (self.end - self.start)
    }

    /// 1, 2, 5, 10 and so on, as far as they are on the axis; all digits where these are few.
    fn ticks(&self) -> Vec<f64> {
        let digits: &[f64] = if self.greatest / self.least < 4.0 {
            &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let decades = self.least.log10().floor() as i32..=self.greatest.log10().ceil() as i32;
        let all = decades.flat_map(|decade| digits.iter().map(move |it| it * 10_f64.powi(decade)));
        all.filter(|it| (self.least..=self.greatest).contains(it))
            .collect()
    }
}

/// A number as it stands at a tick: `1.5`, `64`, `10k`, `1M`.
fn label(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", value / 1e6),
        1e3.. => format!("{}k", value / 1e3),
        _ => format!("{}", (value * 100.0).round() / 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;
    use crate::svg::tests::assert_well_formed;

    #[test]
    fn the_chart_is_well_formed_and_small() {
        let mut report = report();
        let svg = render(&report);
        assert_well_formed(&svg);
        assert!(svg.len() < 60_000, "{}", svg.len());
        report.series.clear();
        assert_well_formed(&render(&report));
    }

    #[test]
    fn every_series_has_a_panel_and_every_count_a_tick() {
        let svg = render(&report());
        for part in [
            "by live blocks<",
            "by threads<",
            "by declared types<",
            ">10M<",
            ">64<",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn a_decade_is_as_long_as_any_other() {
        let axis = Axis::of([1.0, 100.0].into_iter(), 0.0, 200.0);
        assert!((axis.at(10.0) - 100.0).abs() < 1e-9);
        assert_eq!((axis.at(0.1), axis.at(1e9)), (0.0, 200.0));
        assert_eq!(axis.ticks(), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(
            [1.5, 64.0, 1e4, 1e7].map(label),
            ["1.5", "64", "10k", "10M"]
        );
    }
}
