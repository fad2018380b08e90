//! Waste against the number of classes, with the tables of other allocators as dots.

use super::markup::{Picture, Table, percent, step, ticks};
use super::peers::Peer;
use crate::fit::choice::Point;

/// Units of the picture.
const SIZE: (f64, f64) = (1180.0, 400.0);

/// Where the lines are: left, right, top, bottom.
const FIELD: (f64, f64, f64, f64) = (78.0, 1150.0, 24.0, 346.0);

/// Units that two names keep between them, down.
const NAME_HEIGHT: f64 = 15.0;

/// Units of a letter of a name, about.
const LETTER: f64 = 7.2;

/// A table of classes, and what it wastes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dot {
    /// Who has it.
    pub(crate) name: String,
    /// How many classes it has.
    pub(crate) classes: usize,
    /// What the runs waste in them, 0 to 1.
    pub(crate) waste: f64,
    /// Whether it is one of ours.
    pub(crate) ours: bool,
}

/// Draws the curve. The dots are of the runs that were held out, where there are such.
pub(crate) fn figure(points: &[Point], chosen: usize, dots: &[Dot], peers: &[Peer]) -> String {
    let has_holdout = points.iter().any(|it| it.holdout_waste.is_some());
    let scale = Scale::of(points, dots);
    let mut picture = Picture::new(
        "curve",
        "Waste against the number of size classes",
        "The line is the best table of every number of classes; dots are the tables of others. \
         Lower and further left is better. The table below holds the numbers.",
        SIZE.0,
        SIZE.1,
    );
    scale.draw(&mut picture);
    let line = |waste: &dyn Fn(&Point) -> Option<f64>| -> String {
        let points = points
            .iter()
            .filter_map(|it| waste(it).map(|waste| (it, waste)));
        let places = points.map(|(it, waste)| {
            let (x, y) = scale.at(it.classes, waste);
            format!("{x:.1} {y:.1}")
        });
        places.collect::<Vec<_>>().join("L")
    };
    if has_holdout {
        let held = line(&|it| it.holdout_waste);
        picture.add(format_args!(r#"<path class="holdout" d="M{held}"/>"#));
    }
    if !points.is_empty() {
        let trained = line(&|it| Some(it.training_waste));
        picture.add(format_args!(r#"<path class="training" d="M{trained}"/>"#));
    }
    let mut names: Vec<Name> = Vec::new();
    if let Some(point) = points.iter().find(|it| it.classes == chosen) {
        let waste = point.holdout_waste.unwrap_or(point.training_waste);
        let (x, y) = scale.at(chosen, waste);
        picture.add(format_args!(
            r#"<circle class="chosen" cx="{x:.1}" cy="{y:.1}" r="6"><title>fitted: {chosen} classes, {}</title></circle>"#,
            percent(waste)
        ));
        names.push(Name::new(&format!("fitted, {chosen}"), x, y));
    }
    for dot in dots {
        let (x, y) = scale.at(dot.classes, dot.waste);
        let class = if dot.ours { "ours" } else { "peer" };
        let told = format!(
            "{}: {} classes, {}",
            dot.name,
            dot.classes,
            percent(dot.waste)
        );
        picture.add(format_args!(
            r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="6"><title>{}</title></circle>"#,
            crate::svg::escaped(&told)
        ));
        names.push(Name::new(&format!("{}, {}", dot.name, dot.classes), x, y));
    }
    for name in apart(names) {
        picture.text(
            if name.is_left { "end" } else { "begin" },
            name.x,
            name.y + 4.5,
            &name.text,
        );
    }
    let mut legend = vec![("training", "best table, on the training runs")];
    if has_holdout {
        legend.push(("holdout", "the same table, on the runs held out"));
    }
    legend.extend([
        ("ours", "the default"),
        ("peer", "other allocators' tables"),
    ]);
    let caption = match has_holdout {
        true => "Waste inside blocks live at the peak; dots are judged on the runs held out.",
        false => "Waste inside blocks live at the peak, on the training runs.",
    };
    picture.figure(&legend, caption, &table(points, dots, peers))
}

fn table<'a>(points: &[Point], dots: &[Dot], peers: &[Peer]) -> Table<'a> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for dot in dots {
        let source = peers.iter().find(|peer| peer.name == dot.name);
        let source = source.map_or("declared here", |peer| peer.source);
        rows.push(vec![
            dot.name.clone(),
            dot.classes.to_string(),
            percent(dot.waste),
            source.to_owned(),
        ]);
    }
    for point in points {
        let held_out = point.holdout_waste.map(percent);
        rows.push(vec![
            "best table".to_owned(),
            point.classes.to_string(),
            held_out.unwrap_or_else(|| percent(point.training_waste)),
            format!("training {}", percent(point.training_waste)),
        ]);
    }
    Table {
        summary: "Waste by number of classes as a table, and where the tables are from",
        columns: &["table", "classes", "waste", "source"],
        rows,
    }
}

/// What the axes show.
struct Scale {
    classes: (f64, f64),
    most_waste: f64,
}

impl Scale {
    fn of(points: &[Point], dots: &[Dot]) -> Self {
        let classes = points.iter().map(|it| it.classes);
        let classes = classes.chain(dots.iter().map(|it| it.classes));
        let (least, most) = classes.fold((usize::MAX, 1), |(least, most), it| {
            (least.min(it), most.max(it))
        });
        let wastes = points
            .iter()
            .flat_map(|it| [Some(it.training_waste), it.holdout_waste]);
        let wastes = wastes.flatten().chain(dots.iter().map(|it| it.waste));
        let most_waste = wastes.fold(0.005, f64::max) * 1.06;
        let least = (least.min(most) / 8 * 8) as f64;
        Self {
            classes: (least, (most as f64 + 4.0).max(least + 8.0)),
            most_waste,
        }
    }

    fn at(&self, classes: usize, waste: f64) -> (f64, f64) {
        let (left, right, top, bottom) = FIELD;
        let across = (classes as f64 - self.classes.0) / (self.classes.1 - self.classes.0);
        (
            left + across * (right - left),
            bottom - waste / self.most_waste * (bottom - top),
        )
    }

    fn draw(&self, picture: &mut Picture) {
        let (left, right, _, bottom) = FIELD;
        for waste in ticks(step(self.most_waste), self.most_waste) {
            let (_, y) = self.at(0, waste);
            picture.line("grid", (left, y), (right, y));
            picture.text("soft end", left - 8.0, y + 4.0, &percent(waste));
        }
        picture.line("axis", (left, bottom), (right, bottom));
        let (from, to) = (self.classes.0 as usize, self.classes.1 as usize);
        for classes in (from..=to).filter(|it| it.is_multiple_of(8)) {
            let (x, _) = self.at(classes, 0.0);
            picture.line("axis", (x, bottom), (x, bottom + 5.0));
            picture.text("soft middle", x, bottom + 20.0, &classes.to_string());
        }
        let middle = f64::midpoint(left, right);
        picture.text("soft middle", middle, SIZE.1 - 10.0, "size classes");
    }
}

/// A name beside its dot.
#[derive(Debug, Clone)]
struct Name {
    text: String,
    x: f64,
    y: f64,
    is_left: bool,
}

impl Name {
    fn new(text: &str, x: f64, y: f64) -> Self {
        let is_left = x + 12.0 + text.chars().count() as f64 * LETTER > FIELD.1 + 20.0;
        Self {
            text: text.to_owned(),
            x: if is_left { x - 11.0 } else { x + 11.0 },
            y: y - 9.0,
            is_left,
        }
    }

    fn span(&self) -> (f64, f64) {
        let width = self.text.chars().count() as f64 * LETTER;
        match self.is_left {
            true => (self.x - width, self.x),
            false => (self.x, self.x + width),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        let (a, b) = (self.span(), other.span());
        a.0 < b.1 && b.0 < a.1 && (self.y - other.y).abs() < NAME_HEIGHT
    }
}

/// The names, those that would lie over another one moved up.
fn apart(mut names: Vec<Name>) -> Vec<Name> {
    names.sort_by(|a, b| b.y.total_cmp(&a.y).then(a.x.total_cmp(&b.x)));
    let mut placed: Vec<Name> = Vec::new();
    for mut name in names {
        while let Some(other) = placed.iter().find(|other| other.meets(&name)) {
            name.y = other.y - NAME_HEIGHT;
        }
        placed.push(name);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg::tests::assert_well_formed;
    use crate::webpage::peers;

    fn points(holdout: bool) -> Vec<Point> {
        let point = |classes: usize| Point {
            classes,
            training_waste: 1.0 / classes as f64,
            holdout_waste: holdout.then(|| 1.5 / classes as f64),
        };
        (20..=48).map(point).collect()
    }

    #[test]
    fn every_dot_is_named_and_told_with_its_source() {
        let peers = peers::all();
        let dots = peers.iter().map(|peer| Dot {
            name: peer.name.to_owned(),
            classes: peer.classes.len(),
            waste: 0.06,
            ours: false,
        });
        let dots: Vec<Dot> = dots.collect();
        let text = figure(&points(true), 40, &dots, &peers);
        assert_well_formed(&text.replace('\n', ""));
        for part in [
            "rpmalloc, 82",
            "fitted, 40",
            "runtime/sizeclasses.go",
            "holdout",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!figure(&points(false), 40, &dots, &peers).contains("class=\"holdout\""));
    }

    #[test]
    fn names_do_not_lie_over_each_other() {
        let names = (0..6).map(|index| Name::new("a name", 500.0 + f64::from(index), 100.0));
        let placed = apart(names.collect());
        for (index, name) in placed.iter().enumerate() {
            assert!(
                placed[..index].iter().all(|other| !other.meets(name)),
                "{placed:?}"
            );
        }
    }

    #[test]
    fn nothing_to_show_is_an_empty_field() {
        let text = figure(&[], 3, &[], &[]);
        assert_well_formed(&text.replace('\n', ""));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
