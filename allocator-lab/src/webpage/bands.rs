//! Memory over time: what is behind a run's blocks, in stacked bands.

use super::history::{Bands, History, MOMENTS, Order};
use super::markup::{Picture, Table, bytes, round_bytes, step_of_bytes, ticks};

/// Units of the picture.
const SIZE: (f64, f64) = (1180.0, 360.0);

/// Where the bands are: left, right, top, bottom.
const FIELD: (f64, f64, f64, f64) = (78.0, 1160.0, 30.0, 310.0);

/// One of the bands.
type Band = (&'static str, &'static str, fn(&Bands) -> f64);

/// The bands from below, with their styles.
const BANDS: [Band; 6] = [
    ("band-1", "requested", |bands| bands.requested),
    ("band-2", "rounding up to the class", |bands| bands.rounding),
    ("band-3", "tails of small pages", |bands| bands.tails),
    ("band-4", "free slots between live blocks", |bands| {
        bands.free
    }),
    ("band-5", "all-free slices, kept", |bands| bands.kept),
    ("band-6", "headers of pages", |bands| bands.headers),
];

/// Moments that are in the table.
const TABLE_STEP: usize = 12;

/// Draws the bands.
pub(crate) fn figure(history: &History) -> String {
    let total = |bands: &Bands| BANDS.iter().map(|(_, _, band)| band(bands)).sum::<f64>();
    let most = history.moments.iter().map(total).fold(1.0, f64::max) * 1.03;
    let (left, right, top, bottom) = FIELD;
    let x = |moment: f64| left + (right - left) * moment / (MOMENTS - 1) as f64;
    let y = |bytes: f64| bottom - bytes / most * (bottom - top);
    let mut picture = Picture::new(
        "bands",
        "Memory over time",
        "Bands that lie on each other: together, the memory behind the blocks. The table below holds \
         the numbers.",
        SIZE.0,
        SIZE.1,
    );
    let mut below = vec![0.0; history.moments.len()];
    for (class, name, band) in BANDS {
        let above: Vec<f64> = history
            .moments
            .iter()
            .zip(&below)
            .map(|(bands, below)| below + band(bands))
            .collect();
        let upper = above.iter().enumerate();
        let upper =
            upper.map(|(moment, bytes)| format!("{:.1} {:.1}", x(moment as f64), y(*bytes)));
        let lower = below.iter().enumerate().rev();
        let lower =
            lower.map(|(moment, bytes)| format!("{:.1} {:.1}", x(moment as f64), y(*bytes)));
        let edge: Vec<String> = upper.chain(lower).collect();
        picture.add(format_args!(
            r#"<path class="{class}" d="M{}z"><title>{name}</title></path>"#,
            edge.join("L")
        ));
        below = above;
    }
    for value in ticks(step_of_bytes(most), most) {
        picture.line("grid", (left, y(value)), (right, y(value)));
        picture.text("soft end", left - 8.0, y(value) + 4.0, &round_bytes(value));
    }
    picture.line("axis", (left, bottom), (right, bottom));
    let peak = x(history.peak.saturating_sub(1) as f64);
    picture.line("margin", (peak, top - 8.0), (peak, bottom));
    picture.text("soft middle", peak, top - 14.0, "peak");
    let below = match history.order {
        Order::Drawn => vec![
            (left, "blocks are allocated, in a drawn order ▶"),
            (peak, "three quarters are freed at random ▶"),
        ],
        Order::Traced => vec![(left, "the program's steps, from the first to the last ▶")],
    };
    for (x, text) in below {
        picture.text("soft begin", x, bottom + 22.0, text);
    }
    let rows = history.moments.iter().enumerate();
    let rows = rows.filter(|(moment, _)| (moment + 1).is_multiple_of(TABLE_STEP));
    let table = Table {
        summary: "Memory over time as a table",
        columns: &[
            "moment",
            "requested",
            "rounding",
            "tails",
            "free slots",
            "kept",
            "headers",
        ],
        rows: rows
            .map(|(moment, bands)| {
                let cells = BANDS.iter().map(|(_, _, band)| bytes(band(bands)));
                std::iter::once((moment + 1).to_string())
                    .chain(cells)
                    .collect()
            })
            .collect(),
    };
    let legend = BANDS.map(|(class, name, _)| (class, name));
    picture.figure(
        &legend,
        "Resident memory behind the blocks under the default's classes, replayed on the allocator itself.",
        &table,
    )
}
