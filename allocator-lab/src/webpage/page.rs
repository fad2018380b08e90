//! The whole page, out of what was read.

use super::bands;
use super::curve::{self, Dot};
use super::forest;
use super::history::{Bands, History, Order};
use super::input::Session;
use super::ladder::{self, Panel};
use super::map;
use super::markup::{bytes, paragraph, percent, section};
use super::peers;
use super::style::STYLE;
use crate::fit::choice::{Advice, Choice, Outcome, Run, Wish};
use crate::fit::pages::Pages;
use crate::fit::replay::Held;
use crate::fit::{paste, text};
use crate::svg::escaped;
use allocator_core::Config;
use serde::Serialize;

/// Raised when the meaning of any field of the JSON changes.
const FORMAT_VERSION: u32 = 1;

/// What the fit made of the profiles.
pub struct Fitted {
    /// What the classes were fitted to.
    pub training: Vec<Run>,
    /// What they were only judged on.
    pub held_out: Vec<Run>,
    /// How they were fitted.
    pub wish: Wish,
    /// The classes.
    pub choice: Choice,
}

/// Everything that is on the page.
pub struct Page<'a> {
    /// The allocator that the fit is compared with.
    pub default: &'a Config,
    /// The fit, where there are profiles.
    pub fitted: Option<Fitted>,
    /// What becomes of memory under the default, of a trace or else of the first run, with its name; where
    /// something was live.
    pub history: Option<(String, History)>,
    /// Sessions, with the names of their files.
    pub sessions: Vec<(String, Session)>,
}

/// The same for a program.
#[derive(Serialize)]
struct Text<'a> {
    format: &'static str,
    version: u32,
    fit: Option<&'a Choice>,
    memory: &'a [Bands],
    memory_order: Option<Order>,
    sessions: Vec<&'a Session>,
}

impl Page<'_> {
    /// The page's text: the same for the same input.
    #[must_use]
    pub fn render(&self) -> String {
        let mut main = String::new();
        if let Some(fitted) = &self.fitted {
            main += &self.classes(fitted);
            main += &self.curve(fitted);
        }
        if let Some((name, history)) = &self.history {
            main += &memory_over_time(history, name);
        }
        for (index, (file, session)) in self.sessions.iter().enumerate() {
            main += &comparison(index, file, session);
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>Allocator report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>Allocator report</h1>\n{}</header>\n<main>\n{main}</main>\n\
             <footer>{}</footer>\n</body>\n</html>\n",
            self.summary(),
            paragraph(
                "small",
                concat!(
                    "Written by allocator-lab ",
                    env!("CARGO_PKG_VERSION"),
                    ". This file needs no other, and no network."
                )
            )
        )
    }

    /// What is on it, for a program.
    #[must_use]
    pub fn json(&self) -> impl Serialize {
        Text {
            format: "allocator-lab report",
            version: FORMAT_VERSION,
            fit: self.fitted.as_ref().map(|it| &it.choice),
            memory: self.history.as_ref().map_or(&[], |(_, it)| &it.moments),
            memory_order: self.history.as_ref().map(|(_, it)| it.order),
            sessions: self.sessions.iter().map(|(_, session)| session).collect(),
        }
    }

    /// What the page comes to, in a few sentences.
    fn summary(&self) -> String {
        let mut lines = String::new();
        if let Some(fitted) = &self.fitted {
            lines += &paragraph("lead", &capital(&text::verdict(&fitted.choice)));
        }
        for (_, session) in &self.sessions {
            lines += &paragraph("lead", &forest::sentence(session));
        }
        lines
    }

    fn classes(&self, fitted: &Fitted) -> String {
        let choice = &fitted.choice;
        let default_classes = default_classes(self.default);
        let panels = [
            Panel {
                name: "default",
                classes: &default_classes,
            },
            Panel {
                name: "fitted",
                classes: &choice.classes,
            },
        ];
        let runs: Vec<_> = fitted.training.iter().map(|run| &run.histogram).collect();
        let names = |runs: &[Run]| {
            let names = runs.iter().map(|run| run.name.as_str());
            names.collect::<Vec<_>>().join(", ")
        };
        let mut content = paragraph("small", &format!("Fitted to {}.", names(&fitted.training)));
        if !fitted.held_out.is_empty() {
            let held_out = names(&fitted.held_out);
            content += &paragraph("small", &format!("Judged on {held_out}, held out."));
        }
        content += &ladder::figure(&runs, &panels);
        content += &memory(choice);
        if choice.advice == Advice::Declare {
            content += &paragraph("before", "To paste:");
            let attribute = escaped(&paste::attribute(&choice.classes));
            content += &format!("<pre tabindex=\"0\"><code>{attribute}</code></pre>\n");
        }
        content += "<ul>\n";
        for reason in text::reasons(choice, fitted.wish) {
            content += &format!("<li>{}</li>\n", escaped(&reason));
        }
        content += "</ul>\n";
        section("classes", "Size classes", &content)
    }

    fn curve(&self, fitted: &Fitted) -> String {
        let judges = match &fitted.held_out[..] {
            [] => &fitted.training,
            held_out => held_out,
        };
        let pages = Pages::of(self.default);
        let waste = |classes: &[usize]| {
            let wastes = judges.iter();
            let wastes = wastes.map(|run| Held::by(&run.histogram, classes, &pages).waste());
            wastes.sum::<f64>() / judges.len().max(1) as f64
        };
        let peers = peers::all();
        let default_classes = default_classes(self.default);
        let mut dots = vec![Dot {
            name: "default".to_owned(),
            classes: default_classes.len(),
            waste: waste(&default_classes),
            ours: true,
        }];
        dots.extend(peers.iter().map(|peer| Dot {
            name: peer.name.to_owned(),
            classes: peer.classes.len(),
            waste: waste(&peer.classes),
            ours: false,
        }));
        let choice = &fitted.choice;
        let figure = curve::figure(&choice.curve, choice.classes.len(), &dots, &peers);
        section("curve", "Waste against the number of classes", &figure)
    }
}

/// Memory before and after, of every run.
fn memory(choice: &Choice) -> String {
    let row = |outcome: &Outcome| {
        let kind = if outcome.held_out {
            "held out"
        } else {
            "training"
        };
        let cells = [
            kind.to_owned(),
            bytes(outcome.default.requested_bytes),
            bytes(outcome.default.resident_bytes),
            bytes(outcome.fitted.resident_bytes),
            format!("{:+.1} %", (outcome.ratio() - 1.0) * 100.0),
        ];
        let cells: String = cells
            .iter()
            .map(|cell| format!("<td>{cell}</td>"))
            .collect();
        format!(
            "<tr><th scope=\"row\">{}</th>{cells}</tr>\n",
            escaped(&outcome.run)
        )
    };
    let rows: String = choice.outcomes.iter().map(row).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Memory by run\"><table>\n\
         <caption class=\"small\">Memory behind the blocks live at the peak, by a model of the pages</caption>\n\
         <thead><tr><th scope=\"col\">run</th><th scope=\"col\"></th><th scope=\"col\">live</th>\
         <th scope=\"col\">default</th><th scope=\"col\">fitted</th><th scope=\"col\">change</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn memory_over_time(history: &History, name: &str) -> String {
    let part = match history.part {
        1.0.. => String::new(),
        part => format!(" {} of its blocks are replayed.", percent(part)),
    };
    let what = match history.order {
        Order::Drawn => format!(
            "The live set of {name}, built up and mostly freed again on the allocator itself, with the default's \
             classes. A profile knows sizes and counts, and no order: the order is drawn."
        ),
        Order::Traced => format!(
            "The steps of {name}, one after the other, on the allocator itself, with the default's classes. The order \
             is the program's; one thread does what all did. Blocks above the largest class are left out."
        ),
    };
    let told = format!(
        "{what} Nothing is given back to the system meanwhile; the default gives back what is all free after 10 \
         ms.{part}"
    );
    let over_time = paragraph("small", &told) + &bands::figure(history);
    section("memory", "Memory over time", &over_time)
        + &section("pages", "Page map", &map::figure(history))
}

fn comparison(index: usize, file: &str, session: &Session) -> String {
    let code = |text: &str| format!("<code>{}</code>", escaped(text));
    let mut content = paragraph("lead", &forest::sentence(session));
    content += &format!("<p>A is {}.</p>\n", code(&session.a));
    content += &format!("<p>B is {}.</p>\n", code(&session.b));
    if !session.command.is_empty() {
        content += &format!("<p>Under {}.</p>\n", code(&session.command));
    }
    content += &forest::figure(session, index);
    if let Some(instructions) = &session.instructions {
        let told = format!(
            "Instructions of a run, by valgrind: {:.1} million under A, {:.1} million under B ({:+.2} %). \
             They say nothing of the kernel and of caches, and decide nothing.",
            instructions.a as f64 / 1e6,
            instructions.b as f64 / 1e6,
            (instructions.ratio() - 1.0) * 100.0
        );
        content += &paragraph("", &told);
    }
    content += &paragraph("small", &format!("From {file}."));
    section(&format!("ab-{index}"), "A against B", &content)
}

fn default_classes(default: &Config) -> Vec<usize> {
    let classes = default.class_bytes.iter();
    classes.map(|bytes| *bytes as usize).collect()
}

/// A sentence out of a line.
fn capital(line: &str) -> String {
    let mut letters = line.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestants::DEFAULT;
    use crate::fit::choice::choose;
    use crate::fit::histogram::Histogram;
    use crate::profile::csv;
    use crate::webpage::input::Input;
    use crate::webpage::input::tests::session_text;

    fn page(held_out: bool) -> String {
        let table = "size,allocs,live_at_peak,avg_live\n24,90000,9000,100\n264,90000,30000,20000\n";
        let run = |name: &str| Run {
            name: name.to_owned(),
            histogram: Histogram::of(&csv::read(table).unwrap(), 8),
            threads: 1,
        };
        let training = vec![run("<b>first</b>")];
        let held_out = if held_out {
            vec![run("second")]
        } else {
            vec![]
        };
        let choice = choose(&training, &held_out, DEFAULT, Wish::default()).unwrap();
        let Ok(Input::Session(session)) = Input::read(&session_text(0.9)) else {
            panic!("a session");
        };
        let page = Page {
            default: DEFAULT,
            history: None,
            fitted: Some(Fitted {
                training,
                held_out,
                wish: Wish::default(),
                choice,
            }),
            sessions: vec![("ab.json".to_owned(), *session)],
        };
        page.render()
    }

    #[test]
    fn it_is_one_small_file_that_names_no_address_and_runs_nothing() {
        let page = page(true);
        assert!(page.len() < 1 << 20, "{}", page.len());
        for part in [
            "http://", "https://", "<script", "url(", "src=", "@import", "<b>first",
        ] {
            assert!(!page.contains(part), "{part}");
        }
        for part in [
            "&lt;b&gt;first",
            "#[derive_allocator(",
            "A against B",
            "Judged on second",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn the_same_input_gives_the_same_page() {
        assert_eq!(page(false), page(false));
    }

    #[test]
    fn names_of_parts_are_their_own() {
        let page = page(true);
        let mut names: Vec<&str> = page.split(" id=\"").skip(1).collect();
        for name in &mut names {
            *name = name.split('"').next().unwrap();
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert!(count == names.len() && count >= 9, "{names:?}");
        for reference in page.split("labelledby=\"").skip(1) {
            let ids = reference.split('"').next().unwrap();
            assert!(ids.split(' ').all(|id| names.contains(&id)), "{ids}");
        }
    }

    #[test]
    fn every_tag_is_closed() {
        const VOID: [&str; 3] = ["meta", "link", "!doctype"];
        let page = page(true);
        let mut open: Vec<&str> = Vec::new();
        for tag in page.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }
}
