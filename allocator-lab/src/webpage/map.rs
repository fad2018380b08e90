//! The page map: every slice of 64 KiB that a run's blocks lie in, coloured by its class, the fuller the
//! stronger.

use super::history::{History, Order, Slice};
use super::markup::{Picture, Table, percent};
use std::collections::BTreeMap;

/// Cells in a row.
const COLUMNS: usize = 64;

/// Units of a cell, and of what lies between two.
const CELL: (f64, f64) = (16.0, 1.4);

/// Units above each map, and at its left.
const CORNER: (f64, f64) = (46.0, 34.0);

/// The hues of the smallest and of the largest class.
const HUES: (f64, f64) = (220.0, 20.0);

/// The names of both moments.
const fn moments(order: Order) -> [&'static str; 2] {
    match order {
        Order::Drawn => ["at the peak", "with a quarter left"],
        Order::Traced => ["at the peak", "at the end"],
    }
}

/// Draws the slices at both moments.
pub(crate) fn figure(history: &History) -> String {
    let places = history.maps.iter().flatten().map(|slice| slice.place + 1);
    let rows = places.max().unwrap_or(1).div_ceil(COLUMNS);
    let height = CORNER.0 + rows as f64 * CELL.0;
    let width = CORNER.1 * 2.0 + COLUMNS as f64 * CELL.0;
    let classes: Vec<usize> = by_class(history).into_keys().collect();
    let mut picture = Picture::new(
        "map",
        "Page map",
        "Every square is a slice of 64 KiB; its colour is the size class, its strength how much of it \
         is in live blocks. The table below holds the numbers by class.",
        width,
        height * 2.0 + 34.0,
    );
    for ((index, slices), moment) in history.maps.iter().enumerate().zip(moments(history.order)) {
        let top = height * index as f64 + CORNER.0;
        let heading = format!("{moment}: {} slices with live blocks", slices.len());
        picture.text("head", CORNER.1, top - 12.0, &heading);
        for slice in slices {
            cell(&mut picture, slice, &classes, top);
        }
    }
    scale(&mut picture, &classes, height * 2.0 + 16.0);
    let rows = by_class(history).into_iter().map(|(class, [peak, end])| {
        let used = |slices: &[f64]| match slices.len() {
            0 => "–".to_owned(),
            count => percent(slices.iter().sum::<f64>() / count as f64),
        };
        vec![
            class.to_string(),
            peak.len().to_string(),
            used(&peak),
            end.len().to_string(),
            used(&end),
        ]
    });
    let table = Table {
        summary: "Slices by class as a table",
        columns: &[
            "class",
            "slices at the peak",
            "used",
            "slices at the end",
            "used",
        ],
        rows: rows.collect(),
    };
    picture.figure(
        &[],
        "Slices of 64 KiB in the order of their addresses; faint ones are mostly free, blank ones hold no live block.",
        &table,
    )
}

/// The parts in use of the slices of each class, at both moments.
fn by_class(history: &History) -> BTreeMap<usize, [Vec<f64>; 2]> {
    let mut classes: BTreeMap<usize, [Vec<f64>; 2]> = BTreeMap::new();
    for (index, slices) in history.maps.iter().enumerate() {
        for slice in slices {
            classes.entry(slice.class).or_default()[index].push(slice.used);
        }
    }
    classes
}

/// The colour of a class, by its place among those that are there.
fn colour(class: usize, classes: &[usize]) -> String {
    let at = classes.binary_search(&class).unwrap_or(0) as f64;
    let part = at / (classes.len().max(2) - 1) as f64;
    let hue = HUES.0 + (HUES.1 - HUES.0) * part;
    format!("hsl({hue:.0} 65% 48%)")
}

fn cell(picture: &mut Picture, slice: &Slice, classes: &[usize], top: f64) {
    let x = CORNER.1 + (slice.place % COLUMNS) as f64 * CELL.0;
    let y = top + (slice.place / COLUMNS) as f64 * CELL.0;
    let side = CELL.0 - CELL.1;
    let (fill, strength) = (colour(slice.class, classes), 0.12 + 0.88 * slice.used);
    picture.add(format_args!(
        r#"<rect x="{x:.1}" y="{y:.1}" width="{side:.1}" height="{side:.1}" fill="{fill}" fill-opacity="{strength:.2}"><title>class {}, {} used</title></rect>"#,
        slice.class,
        percent(slice.used)
    ));
}

/// The colours from the smallest class to the largest.
fn scale(picture: &mut Picture, classes: &[usize], top: f64) {
    const STEP: f64 = 14.0;
    let Some((first, last)) = classes.first().zip(classes.last()) else {
        return;
    };
    picture.text(
        "soft begin",
        CORNER.1,
        top + 11.0,
        &format!("class {first}"),
    );
    let left = CORNER.1 + 80.0;
    for (index, class) in classes.iter().enumerate() {
        let x = left + index as f64 * STEP;
        picture.add(format_args!(
            r#"<rect x="{x:.1}" y="{top:.1}" width="{STEP}" height="13" fill="{}"><title>class {class}</title></rect>"#,
            colour(*class, classes)
        ));
    }
    let end = left + classes.len() as f64 * STEP + 8.0;
    picture.text("soft begin", end, top + 11.0, &format!("class {last}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg::tests::assert_well_formed;
    use crate::webpage::bands;
    use crate::webpage::history::{Bands, MOMENTS as COUNT};

    fn history(order: Order) -> History {
        let slice = |place, class, used| Slice { place, class, used };
        History {
            order,
            peak: 60,
            part: 0.5,
            moments: vec![
                Bands {
                    requested: 3e6,
                    free: 1e6,
                    ..Bands::default()
                };
                COUNT
            ],
            maps: [
                vec![slice(0, 32, 1.0), slice(70, 4608, 0.5)],
                vec![slice(0, 32, 0.25)],
            ],
        }
    }

    #[test]
    fn both_pictures_are_well_formed_and_tell_their_numbers() {
        let map = figure(&history(Order::Drawn));
        assert_well_formed(&map.replace('\n', ""));
        for part in [
            "at the peak: 2 slices",
            "class 4608, 50.0 % used",
            "<th scope=\"row\">32</th><td>1</td><td>100.0 %</td><td>1</td><td>25.0 %</td>",
            "<td>0</td><td>–</td>",
        ] {
            assert!(map.contains(part), "{part}\n{map}");
        }
        let bands = bands::figure(&history(Order::Drawn));
        assert_well_formed(&bands.replace('\n', ""));
        assert!(
            bands.contains("<th scope=\"row\">96</th><td>2.86 MiB</td>"),
            "{bands}"
        );
        assert!(bands.contains("in a drawn order"));
    }

    #[test]
    fn the_order_of_a_trace_is_not_drawn() {
        let (map, bands) = (
            figure(&history(Order::Traced)),
            bands::figure(&history(Order::Traced)),
        );
        assert!(map.contains("at the end: 1 slice") && !map.contains("a quarter"));
        assert!(bands.contains("the program's steps") && !bands.contains("drawn"));
        assert_well_formed(&bands.replace('\n', ""));
    }

    #[test]
    fn classes_have_colours_of_their_own() {
        let classes = [8, 16, 4368];
        let colours = classes.map(|class| colour(class, &classes));
        assert!(colours[0] != colours[1] && colours[1] != colours[2]);
        assert_eq!(colour(8, &[8]), colour(8, &[8, 16]));
    }
}
