//! Pieces of the charts: the frame, the style, the marks.

use std::fmt::{self, Write};

/// Light first; dark where the reader's system is.
const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.head { font-weight: 600 }
.soft { fill: #57606a }
.ground { fill: #ffffff }
.band { fill: #f3f5f7 }
.grid { stroke: #d5dae0; stroke-width: 1 }
.one { stroke: #57606a; stroke-width: 1.5 }
.ours { fill: #0969da; stroke: #0969da; stroke-width: 1.5 }
.ours-hollow { fill: none; stroke: #0969da; stroke-width: 1.5 }
.peer { fill: none; stroke: #8c5a2b; stroke-width: 1.4 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.soft { fill: #9aa4af }
.ground { fill: #0d1117 }
.band { fill: #161b22 }
.grid { stroke: #30363d }
.one { stroke: #9aa4af }
.ours { fill: #58a6ff; stroke: #58a6ff }
.ours-hollow { stroke: #58a6ff }
.peer { stroke: #d9a566 }
}
";

/// Begins a picture of that many pixels.
///
/// # Errors
/// That of the writer.
pub(crate) fn open(svg: &mut impl Write, width: f64, height: f64) -> fmt::Result {
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title">"#
    )?;
    writeln!(svg, "<style>{STYLE}</style>")?;
    writeln!(
        svg,
        r#"<rect class="ground" width="{width}" height="{height}"/>"#
    )
}

/// Ends it.
///
/// # Errors
/// That of the writer.
pub(crate) fn close(svg: &mut impl Write) -> fmt::Result {
    writeln!(svg, "</svg>")
}

/// What entrants are drawn as, so that they differ without colour, too.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Disc,
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Cross,
    Plus,
}

impl Shape {
    /// Draws a mark; `told` is what it says when it is pointed at.
    ///
    /// # Errors
    /// That of the writer.
    pub(crate) fn write(
        self,
        svg: &mut impl Write,
        class: &str,
        x: f64,
        y: f64,
        told: Option<&str>,
    ) -> fmt::Result {
        let told = told.map_or(String::new(), |told| {
            format!("<title>{}</title>", escaped(told))
        });
        let path = match self {
            Self::Disc | Self::Circle => {
                let radius = if matches!(self, Self::Disc) { 4.5 } else { 3.5 };
                return writeln!(
                    svg,
                    r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{radius}">{told}</circle>"#
                );
            }
            Self::Square => "m-3.3-3.3h6.6v6.6h-6.6z",
            Self::Diamond => "m0-4.6 4.6 4.6-4.6 4.6-4.6-4.6z",
            Self::Up => "m0-4 4 7h-8z",
            Self::Down => "m0 4 4-7h-8z",
            Self::Cross => "m-3.3-3.3 6.6 6.6m-6.6 0 6.6-6.6",
            Self::Plus => "m-4 0h8m-4-4v8",
        };
        writeln!(
            svg,
            r#"<path class="{class}" d="M{x:.1} {y:.1}{path}">{told}</path>"#
        )
    }
}

/// Text that can stand between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Checks that every tag is closed by its own, and that nothing is left open.
    pub(crate) fn assert_well_formed(svg: &str) {
        let mut open: Vec<&str> = Vec::new();
        for (position, part) in svg.split('<').enumerate() {
            let Some((tag, text)) = part.split_once('>') else {
                assert!(
                    position == 0 && part.is_empty(),
                    "a tag without end: {part}"
                );
                continue;
            };
            assert!(!text.contains('>'), "a bracket in a text: {text}");
            assert_eq!(tag.matches('"').count() % 2, 0, "an open quote: {tag}");
            let entities = text.split('&').skip(1);
            for entity in entities {
                assert!(
                    ["amp;", "lt;", "gt;", "quot;"]
                        .iter()
                        .any(|it| entity.starts_with(it))
                );
            }
            let name = tag.split([' ', '/']).find(|name| !name.is_empty());
            let name = name.expect("a tag has a name");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
    }
}
