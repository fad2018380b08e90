//! Pieces of the page: tags, tables, pictures and their axes. Whatever comes from outside is escaped here.

use crate::svg::escaped;
use std::fmt::Write;

/// A picture that is being drawn.
pub(crate) struct Picture {
    text: String,
}

/// A table that stands behind a picture.
pub(crate) struct Table<'a> {
    /// What is unfolded.
    pub(crate) summary: &'a str,
    /// Its columns; all but the first hold numbers, unless a cell says otherwise.
    pub(crate) columns: &'a [&'a str],
    /// Its rows, a cell for each column.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A row of names and what they are drawn as.
pub(crate) type Legend<'a> = &'a [(&'a str, &'a str)];

impl Picture {
    /// A picture of that many units; `name` is of letters, and its own on the page.
    pub(crate) fn new(name: &str, title: &str, told: &str, width: f64, height: f64) -> Self {
        let mut picture = Self {
            text: String::new(),
        };
        picture.add(format_args!(
            r#"<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-told"><title id="{name}-title">{}</title><desc id="{name}-told">{}</desc>"#,
            escaped(title),
            escaped(told)
        ));
        picture
    }

    /// Adds what is well-formed already.
    pub(crate) fn add(&mut self, markup: std::fmt::Arguments) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{markup}");
    }

    /// Text that begins, is centred on, or ends at `x`, by its class: `begin`, `middle` or `end`.
    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        self.add(format_args!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#,
            escaped(text)
        ));
    }

    /// A line between two points.
    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.add(format_args!(
            r#"<path class="{class}" d="M{:.1} {:.1}L{:.1} {:.1}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    /// A rectangle; `told` is what it says when it is pointed at.
    pub(crate) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), told: &str) {
        let (x, y) = corner;
        let (width, height) = size;
        let told = match told {
            "" => String::new(),
            told => format!("<title>{}</title>", escaped(told)),
        };
        self.add(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}">{told}</rect>"#
        ));
    }

    /// The picture as it stands on the page: it may be scrolled where it is too wide.
    pub(crate) fn figure(mut self, legend: Legend, caption: &str, table: &Table) -> String {
        self.text.push_str("</svg>");
        let mut keys = String::new();
        for (class, name) in legend {
            let _ = write!(
                keys,
                r#"<li><span class="key {class}" aria-hidden="true"></span>{}</li>"#,
                escaped(name)
            );
        }
        if !keys.is_empty() {
            keys = format!("<ul class=\"legend\">{keys}</ul>\n");
        }
        format!(
            "<figure>\n{keys}<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">\n{}\n</div>\n<figcaption>{}</figcaption>\n</figure>\n{}",
            escaped(caption),
            self.text,
            escaped(caption),
            table.details()
        )
    }
}

impl Table<'_> {
    fn details(&self) -> String {
        let mut text = format!(
            "<details><summary>{}</summary><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{}\"><table><thead><tr>",
            escaped(self.summary),
            escaped(self.summary)
        );
        for column in self.columns {
            let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(column));
        }
        text.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            text.push_str("<tr>");
            for (index, cell) in row.iter().enumerate() {
                let cell = escaped(cell);
                let _ = match index {
                    0 => write!(text, "<th scope=\"row\">{cell}</th>"),
                    _ => write!(text, "<td>{cell}</td>"),
                };
            }
            text.push_str("</tr>\n");
        }
        text + "</tbody></table></div></details>\n"
    }
}

/// A paragraph.
pub(crate) fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escaped(text))
}

/// A part of the page under a heading.
pub(crate) fn section(name: &str, heading: &str, content: &str) -> String {
    format!(
        "<section aria-labelledby=\"{name}\">\n<h2 id=\"{name}\">{}</h2>\n{content}</section>\n",
        escaped(heading)
    )
}

/// Bytes as a person reads them.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        1_048_576.0.. => format!("{:.2} MiB", bytes / 1_048_576.0),
        1024.0.. => format!("{:.1} KiB", bytes / 1024.0),
        _ => format!("{bytes:.0} B"),
    }
}

/// A part of one as a person reads it.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// A round step that divides `most` into two to five parts.
pub(crate) fn step(most: f64) -> f64 {
    if !(most.is_finite() && most > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let steps = [0.2, 0.5, 1.0, 2.0].map(|part| part * power);
    let fits = |step: &f64| most / step <= 5.0;
    steps.into_iter().find(fits).unwrap_or(power * 2.0)
}

/// The same for bytes: a power of two.
pub(crate) fn step_of_bytes(most: f64) -> f64 {
    let mut step = 1.0;
    while most / step > 5.0 {
        step *= 2.0;
    }
    step
}

/// Bytes that are a step, or some of them, as they stand at an axis.
pub(crate) fn round_bytes(bytes: f64) -> String {
    match bytes {
        1_048_576.0.. => format!("{} MiB", bytes / 1_048_576.0),
        1024.0.. => format!("{} KiB", bytes / 1024.0),
        _ => format!("{bytes} B"),
    }
}

/// The multiples of a step from 0 to `most`.
pub(crate) fn ticks(step: f64, most: f64) -> impl Iterator<Item = f64> {
    let count = (most / step + 1e-9).floor() as u32;
    (0..=count).map(move |index| f64::from(index) * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svg::tests::assert_well_formed;

    #[test]
    fn what_comes_from_outside_cannot_leave_its_place() {
        let evil = "</title><script>\"&";
        let mut picture = Picture::new("one", evil, evil, 10.0, 10.0);
        picture.text("middle", 1.0, 2.0, evil);
        picture.rect("bar", (0.0, 0.0), (1.0, 1.0), evil);
        let table = Table {
            summary: evil,
            columns: &[evil],
            rows: vec![vec![evil.to_owned()]],
        };
        let text = picture.figure(&[("bar", evil)], evil, &table);
        assert_well_formed(&text.replace('\n', ""));
        assert!(!text.contains("<script"), "{text}");
        assert_well_formed(&(paragraph("lead", evil) + &section("x", evil, "")).replace('\n', ""));
    }

    #[test]
    fn axes_have_three_to_six_ticks() {
        for most in [0.03, 0.9, 1.0, 4.99, 5.0, 7.0, 99.0, 1e7, 8.3e9] {
            let count = ticks(step(most), most).count();
            assert!((3..=6).contains(&count), "{most}: {count}");
        }
        for most in [3.0, 100.0, 5120.0, 1e7, 8.3e9] {
            let count = ticks(step_of_bytes(most), most).count();
            assert!((3..=6).contains(&count), "{most}: {count}");
        }
        assert_eq!(round_bytes(1.5 * 1_048_576.0), "1.5 MiB");
        assert_eq!(step(0.0), 1.0);
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(
            [100.0, 2048.0, 3.5e6].map(bytes),
            ["100 B", "2.0 KiB", "3.34 MiB"]
        );
        assert_eq!(percent(0.0345), "3.5 %");
    }
}
