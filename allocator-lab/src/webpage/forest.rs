//! A against B: for every metric the ratio with its interval, over the band that A and its copy span.

use super::input::{Interval, Metric, Session};
use super::markup::{Picture, Table, bytes};

/// Units of the picture, across.
const WIDTH: f64 = 1180.0;

/// Where the ratios are, across.
const FIELD: (f64, f64) = (150.0, 850.0);

/// Where the verdict begins, across.
const VERDICT_X: f64 = 870.0;

/// Units above the rows, of a row, and below the rows.
const HEIGHT: (f64, f64, f64) = (30.0, 46.0, 46.0);

/// Half the height of a band, and of the ends of an interval.
const HALF: (f64, f64) = (13.0, 6.0);

/// The axis reaches this far at least, and at most, as a ratio.
const REACH: (f64, f64) = (1.03, 4.0);

/// What is no difference, as a ratio.
const MARGIN: f64 = 1.01;

/// Changes that have a line and a number, in per cent, in steps of one of these.
const STEPS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// Draws a session; `index` tells it from the page's other ones.
pub(crate) fn figure(session: &Session, index: usize) -> String {
    let rows = session.metrics.len() as f64;
    let bottom = HEIGHT.0 + rows * HEIGHT.1;
    let axis = Axis::of(&session.metrics);
    let mut picture = Picture::new(
        &format!("forest-{index}"),
        "B to A in each metric",
        "A mark is B's ratio to A, its line the interval; the band is what A's copy spans against A. \
         Left of 1, B takes less. The table below holds the numbers.",
        WIDTH,
        bottom + HEIGHT.2,
    );
    axis.draw(&mut picture, bottom);
    for (row, metric) in session.metrics.iter().enumerate() {
        let y = HEIGHT.0 + (row as f64 + 0.5) * HEIGHT.1;
        draw(&mut picture, metric, &axis, y);
    }
    let legend = [
        ("better", "better"),
        ("worse", "worse"),
        ("open", "the same, or not known"),
        ("noise", "A's copy against A: what noise does"),
    ];
    let table = Table {
        summary: "Figures as a table",
        columns: &["metric", "A", "B", "B / A", "interval", "A′ / A", "verdict"],
        rows: session.metrics.iter().map(cells).collect(),
    };
    let caption = format!(
        "B's ratio to A ({} rounds of A, a copy of A, and B; {} runs per sample); dashed: ±1 %, which \
         counts as the same.",
        session.rounds, session.repeats
    );
    picture.figure(&legend, &caption, &table)
}

/// What a session says, in a sentence.
pub(crate) fn sentence(session: &Session) -> String {
    let deciding = session.metrics.iter().filter(|metric| metric.decides);
    let said = deciding.map(|metric| {
        let change = (metric.ratio.ratio - 1.0) * 100.0;
        format!(
            "{} in {} ({change:+.1} %)",
            metric.verdict.word, metric.name
        )
    });
    let said: Vec<String> = said.collect();
    let outcome = match session.outcome.as_str() {
        "same" => "the same",
        other => other,
    };
    format!("B is {outcome}: {}.", said.join(", "))
}

fn draw(picture: &mut Picture, metric: &Metric, axis: &Axis, y: f64) {
    let style = style(metric);
    picture.text("end head", FIELD.0 - 22.0, y + 5.0, &metric.name);
    let (from, to) = axis.span(&metric.control);
    let corner = (from, y - HALF.0);
    picture.rect(
        "noise",
        corner,
        ((to - from).max(1.0), HALF.0 * 2.0),
        &told("A′ / A", &metric.control),
    );
    picture.line("one", (axis.x(1.0), y - HALF.0), (axis.x(1.0), y + HALF.0));
    let (from, to) = axis.span(&metric.ratio);
    let line = format!("interval {style}");
    picture.line(&line, (from, y), (to, y));
    for end in [from, to] {
        picture.line(&line, (end, y - HALF.1), (end, y + HALF.1));
    }
    let x = axis.x(metric.ratio.ratio);
    picture.add(format_args!(
        r#"<circle class="{style}" cx="{x:.1}" cy="{y:.1}" r="6"><title>{}</title></circle>"#,
        told("B / A", &metric.ratio)
    ));
    let change = (metric.ratio.ratio - 1.0) * 100.0;
    let text = format!("{change:+.1} %  {}", word(metric));
    picture.text(
        if style == "open" { "begin" } else { style },
        VERDICT_X,
        y + 5.0,
        &text,
    );
}

fn style(metric: &Metric) -> &'static str {
    match metric.verdict.word.as_str() {
        "better" => "better",
        "worse" => "worse",
        _ => "open",
    }
}

fn word(metric: &Metric) -> String {
    match (metric.verdict.word.as_str(), metric.verdict.more_rounds) {
        ("inconclusive", Some(more @ ..=999)) => format!("inconclusive, about {more} rounds more"),
        ("inconclusive", _) => "inconclusive, over 999 rounds more".to_owned(),
        ("withheld", _) => "withheld: A and its copy differ".to_owned(),
        (word, _) => word.to_owned(),
    }
}

fn told(what: &str, interval: &Interval) -> String {
    format!("{what} {:.3}, {}", interval.ratio, range(interval))
}

fn range(interval: &Interval) -> String {
    match interval.high {
        Some(high) => format!("{:.3}–{high:.3}", interval.low),
        None => format!("{:.3}–∞", interval.low),
    }
}

fn cells(metric: &Metric) -> Vec<String> {
    let figure = |value: f64| match metric.name.as_str() {
        "CPU time" | "wall time" => format!("{:.1} ms", value / 1e3),
        "peak RSS" => bytes(value),
        _ => format!("{value:.0}"),
    };
    vec![
        metric.name.clone(),
        figure(metric.a),
        figure(metric.b),
        format!("{:.3}", metric.ratio.ratio),
        range(&metric.ratio),
        range(&metric.control),
        word(metric),
    ]
}

/// Where ratios are, across: by their logarithm, 1 in the middle.
struct Axis {
    reach: f64,
}

impl Axis {
    fn of(metrics: &[Metric]) -> Self {
        let ends = metrics.iter().flat_map(|it| [it.ratio, it.control]);
        let ends = ends.flat_map(|it| [it.ratio, it.low, it.high.unwrap_or(f64::INFINITY)]);
        let far = ends.map(|ratio| ratio.max(1e-9).ln().abs());
        let far = far.fold(0.0, f64::max) * 1.08;
        Self {
            reach: far.clamp(REACH.0.ln(), REACH.1.ln()),
        }
    }

    /// What is beyond an end is drawn there.
    fn x(&self, ratio: f64) -> f64 {
        let part = (ratio.max(1e-9).ln() / self.reach).clamp(-1.0, 1.0);
        f64::midpoint(FIELD.0, FIELD.1) + part * (FIELD.1 - FIELD.0) / 2.0
    }

    fn span(&self, interval: &Interval) -> (f64, f64) {
        (
            self.x(interval.low),
            self.x(interval.high.unwrap_or(f64::INFINITY)),
        )
    }

    fn draw(&self, picture: &mut Picture, bottom: f64) {
        let most = (self.reach.exp() - 1.0) * 100.0;
        let fits = |step: &f64| most / step <= 4.0;
        let step = STEPS
            .into_iter()
            .find(fits)
            .unwrap_or(STEPS[STEPS.len() - 1]);
        let count = (most / step).floor() as i32;
        for index in -count..=count {
            let change = f64::from(index) * step;
            // Below 1, a change of half of it lies as far as one to the double.
            let ratio = 1.0 + change / 100.0;
            if ratio <= (-self.reach).exp() {
                continue;
            }
            let x = self.x(ratio);
            picture.line(
                if index == 0 { "one" } else { "grid" },
                (x, HEIGHT.0),
                (x, bottom),
            );
            let text = match index {
                0 => "A".to_owned(),
                _ => format!("{change:+.0} %"),
            };
            picture.text("soft middle", x, bottom + 18.0, &text);
        }
        for ratio in [1.0 / MARGIN, MARGIN] {
            let x = self.x(ratio);
            picture.line("margin", (x, HEIGHT.0 - 8.0), (x, bottom));
        }
        picture.text("soft begin", FIELD.0, 16.0, "◀ B takes less");
        picture.text("soft end", FIELD.1, 16.0, "B takes more ▶");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg::tests::assert_well_formed;
    use crate::webpage::input::Input;
    use crate::webpage::input::tests::session_text;

    fn session(effect: f64) -> Session {
        match Input::read(&session_text(effect)) {
            Ok(Input::Session(session)) => *session,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_is_well_formed_and_says_the_verdict() {
        let session = session(0.9);
        let text = figure(&session, 0);
        assert_well_formed(&text.replace('\n', ""));
        assert!(
            text.contains("-10.0 %  better") && text.contains("<td>0.900</td>"),
            "{text}"
        );
        assert_eq!(
            sentence(&session),
            "B is better: same in CPU time (+0.0 %), better in peak RSS (-10.0 %)."
        );
    }

    #[test]
    fn what_is_far_away_or_without_end_is_drawn_at_the_edge() {
        let mut session = session(40.0);
        session.metrics[0].ratio.high = None;
        session.metrics[1].verdict.word = "<inconclusive".to_owned();
        let text = figure(&session, 1);
        assert_well_formed(&text.replace('\n', ""));
        assert!(!text.contains("inf\"") && !text.contains("NaN"));
        let axis = Axis::of(&session.metrics);
        assert_eq!(axis.x(40.0), FIELD.1);
        assert!(axis.x(1.0 / 40.0) <= FIELD.0 + 1e-9);
    }
}
